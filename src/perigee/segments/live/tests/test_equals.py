"""Whatever happens to people, in whatever order: once the queue is worked in, every live segment holds whom its rule
holds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perigee.contacts.delete import delete
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.unsubscribe import Unsubscribe, resubscribe, unsubscribe
from perigee.db.embedded import EmbeddedServer
from perigee.db.pool import Database
from perigee.delivery.tracking import Hit, record_hits
from perigee.messages.links import Recipient
from perigee.segments import categories, manage, static
from perigee.segments.live.tests.conftest import Room
from perigee.segments.static import People

TOWNS = ("Kyiv", "Lviv", None)
TYPES = ("cart", "view")


def rule(**members: Any) -> dict[str, Any]:
    return members


def rules(listed: int) -> list[dict[str, Any]]:
    town = rule(**{"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}})
    cart = rule(**{"is": "event", "type": "cart", "times": {"op": "at_least", "value": 2}})
    view = rule(**{"is": "event", "type": "view", "period": {"op": "last_days", "days": 2}})
    orders = rule(**{"is": "orders", "measure": "total", "test": {"op": "at_least", "value": 30}})
    narrowed = rule(
        **{"is": "orders", "measure": "count", "which": ["CANCELLED"], "test": {"op": "equals", "value": 0}}
    )
    opened = rule(**{"is": "message", "what": "opened"})
    active = rule(**{"is": "address_state", "kind": "email", "state": "active"})
    token = rule(**{"is": "token", "kind": "webpush"})
    on_list = rule(**{"is": "segment", "id": listed})
    news = rule(**{"is": "category", "key": "news"})
    return [
        town, cart, view, orders, narrowed, opened, active, token, on_list, news,
        {"is": "not", "of": {"is": "all", "of": [town, cart]}},
        {"is": "any", "of": [view, orders, token]},
        {"is": "all", "of": [{"is": "not", "of": on_list}, {"is": "any", "of": [town, opened]}]},
        {"is": "exclude", "of": {"is": "any", "of": [cart, view]}, "minus": news},
        {"is": "all", "of": [{"is": "not", "of": opened}, active]},
    ]  # fmt: skip


class Stage(NamedTuple):
    url: str
    org_id: int
    send_id: int
    list_id: int


class Deed(NamedTuple):
    what: str
    who: int
    choice: int


DEEDS = (
    "upsert", "event", "order", "cancel", "attach", "detach", "empty", "category", "unsubscribe", "resubscribe", "open",
    "delete", "token", "drain",
)  # fmt: skip
deeds = st.lists(
    st.builds(Deed, st.sampled_from(DEEDS), st.integers(0, 5), st.integers(0, 2)), min_size=1, max_size=25
)


@pytest.fixture(scope="module")
def stage(_server: EmbeddedServer, _admin: psycopg.Connection[Any]) -> Iterator[Stage]:
    _admin.execute("create database test_live_equals template perigee strategy file_copy")
    url = _server.url("test_live_equals")
    yield asyncio.run(_set(url))
    _admin.execute("drop database test_live_equals with (force)")


async def _set(url: str) -> Stage:
    async with Database(url, size=2) as db:
        async with db.transaction() as conn:
            cursor = await conn.execute("insert into organisation (name) values ('Shop') returning org_id")
            (org_id,) = await cursor.fetchone() or (0,)
            listed = await manage.create_list(conn, org_id, "List")
            await categories.create(conn, org_id, "News", "news")
        room = Room(db, org_id)
        (send_id,) = (
            await room.rows(
                "insert into send (org_id, kind, channel, started_at, marketing, provider_id, content_digest) "
                "values (%(org_id)s, 'single', 'email', now(), false, 1, '') returning send_id"
            )
        )[0]
        await act(room, Deed("event", 0, 0), Stage(url, org_id, send_id, listed.segment_id))
        await act(room, Deed("event", 0, 1), Stage(url, org_id, send_id, listed.segment_id))
        for n, condition in enumerate(rules(listed.segment_id)):
            await room.segment(condition, f"S{n}")
        await room.evaluate()
        return Stage(url, org_id, send_id, listed.segment_id)


async def act(room: Room, deed: Deed, stage: Stage) -> None:
    email = f"p{deed.who}@example.com"
    (person,) = await room.people(ContactRow(external_id=f"P{deed.who}", email=email))
    match deed.what:
        case "upsert":
            await room.people(ContactRow(external_id=f"P{deed.who}", town=TOWNS[deed.choice]))
        case "event":
            at = datetime.now(UTC) - timedelta(days=deed.choice * 2)
            await room.event(person, TYPES[deed.choice % 2], at)
        case "order":
            await room.order(person, f"O{deed.choice}", total="20")
        case "cancel":
            await room.order(person, f"O{deed.choice}", status="CANCELLED")
        case "token":
            await room.people(
                ContactRow(external_id=f"P{deed.who}", tokens=(Token("webpush", f"t{deed.choice}"),))
            )
        case "drain":
            await room.follow()
        case _:
            async with room.db.transaction() as conn:
                await _marks(conn, room.org_id, person, email, deed, stage)


async def _marks(conn: Any, org_id: int, person: int, email: str, deed: Deed, stage: Stage) -> None:
    match deed.what:
        case "attach":
            await static.attach(conn, org_id, stage.list_id, People([person]))
        case "detach":
            await static.detach(conn, org_id, stage.list_id, People([person]))
        case "empty":
            await static.empty(conn, org_id, stage.list_id)
        case "category":
            await categories.set_for_contact(conn, org_id, person, ["news"] if deed.choice else [])
        case "unsubscribe":
            await unsubscribe(conn, org_id, [Unsubscribe("email", email, "test")])
        case "resubscribe":
            await resubscribe(conn, org_id, "email", [email], source="test")
        case "open":
            hit = Hit(Recipient(org_id, stage.send_id, deed.choice, person), "READ", datetime.now(UTC))
            await record_hits(conn, org_id, [hit])
        case "delete":
            await delete(conn, org_id, person)


async def _play(stage: Stage, script: list[Deed]) -> None:
    async with Database(stage.url, size=2) as db:
        room = Room(db, stage.org_id)
        for deed in script:
            await act(room, deed, stage)
        while await room.follow():
            pass
        for (segment_id,) in await room.rows(
            "select segment_id from segment where org_id = %(org_id)s and kind = 'dynamic'"
        ):
            held, true = await room.held(segment_id), await room.true(segment_id)
            assert held == true, (segment_id, script)
            assert (await room.standing(segment_id)).people == len(true)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_live_segments_hold_whom_their_rules_hold(stage: Stage, script: list[Deed]) -> None:
    asyncio.run(_play(stage, script))
