"""Whom a campaign reaches, and why others drop out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from perigee.campaigns import audience, members
from perigee.campaigns.audience import Choice
from perigee.campaigns.types import AudienceCount
from perigee.db.pool import Connection, Database

_SCRIPT = """
insert into organisation (org_id, name) values (1, 'Shop'), (2, 'Other');
insert into contact (org_id, contact_id, email, phone, town, deleted_at) values
  (1, 1, 'ok@example.com', '380501112201', 'Kyiv', null),
  (1, 2, 'ok@example.com', null, 'Kyiv', null),
  (1, 3, null, '380501112203', 'Kyiv', null),
  (1, 4, 'unconfirmed@example.com', '380501112204', 'Kyiv', null),
  (1, 5, 'left@example.com', '380501112205', 'Lviv', null),
  (1, 6, 'angry@example.com', null, 'Lviv', null),
  (1, 7, 'black@example.com', null, 'Lviv', null),
  (1, 8, 'full@example.com', null, 'Lviv', null),
  (1, 9, 'out@example.com', null, 'Kyiv', null),
  (1, 10, 'gone@example.com', null, 'Kyiv', now()),
  (1, 11, 'nobody@example.com', null, null, null),
  (2, 1, 'ok@example.com', '380501112201', 'Kyiv', null);
insert into address (org_id, kind, value, confirmed, unsubscribed_at, complained_at, blacklisted_at, blocked_until) values
  (1, 'email', 'ok@example.com', true, null, null, null, null),
  (1, 'email', 'unconfirmed@example.com', false, null, null, null, null),
  (1, 'email', 'left@example.com', true, now(), now(), null, null),
  (1, 'email', 'angry@example.com', true, null, now(), null, null),
  (1, 'email', 'black@example.com', true, null, null, now(), null),
  (1, 'email', 'full@example.com', true, null, null, null, now() + interval '1 day'),
  (1, 'email', 'out@example.com', true, null, null, null, null),
  (1, 'email', 'gone@example.com', true, null, null, null, null),
  (1, 'email', 'nobody@example.com', true, null, null, null, null),
  (1, 'phone', '380501112201', true, null, null, null, null),
  (1, 'phone', '380501112203', true, null, null, null, null),
  (1, 'phone', '380501112204', true, null, null, null, null),
  (1, 'phone', '380501112205', true, now(), null, null, null),
  (2, 'email', 'ok@example.com', true, null, null, null, null);
insert into segment (org_id, segment_id, name, kind) values
  (1, 10, 'VIP', 'static'), (1, 11, 'Out', 'static'), (1, 12, 'News', 'static'), (2, 20, 'Foreign', 'static');
insert into segment (org_id, segment_id, name, kind, condition) values
  (1, 13, 'In Kyiv', 'dynamic', '{"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}');
insert into segment_member (org_id, segment_id, contact_id)
  select 1, 10, n from generate_series(1, 10) n union all values (1, 11, 9), (1, 12, 2), (2, 20, 1);
insert into subscription_category (org_id, key, name, segment_id) values (1, 'news', 'News', 12);
"""
VIP, OUT, IN_KYIV, FOREIGN, GONE = 10, 11, 13, 20, 404


@pytest.fixture
async def conn(db: Database) -> AsyncIterator[Connection]:
    async with db.transaction() as connection:
        await connection.execute(_SCRIPT.encode())
        yield connection


async def ids(conn: Connection, compiled: tuple[str, Any]) -> list[int]:
    sql, values = compiled
    return sorted(row[0] for row in await (await conn.execute(sql.encode(), values)).fetchall())


async def count(
    conn: Connection, include: list[int], exclude: list[int], channel: str, **more: Any
) -> AudienceCount:
    return await audience.count(conn, 1, Choice(include=include, exclude=exclude, channel=channel, **more))


async def test_lists_and_dynamic_segments_are_one_audience(conn: Connection) -> None:
    for segments, expected in (
        ([VIP], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ([IN_KYIV], [1, 2, 3, 4, 9]),
        ([OUT, IN_KYIV, OUT], [1, 2, 3, 4, 9]),
        ([GONE, FOREIGN], []),
        ([], []),
    ):
        assert await ids(conn, await members.members_sql(conn, 1, segments, prefix="in")) == expected


async def test_every_drop_out_has_its_first_reason(conn: Connection) -> None:
    counted = await count(conn, [VIP], [OUT], "email")
    assert counted.dropped == {
        "no_address": 1,
        "unconfirmed": 1,
        "unsubscribed": 1,
        "complained": 1,
        "blacklisted": 1,
        "blocked": 1,
        "excluded": 1,
        "duplicate_address": 1,
    }
    assert (counted.chosen, counted.reachable) == (9, 1)
    assert counted.chosen == counted.reachable + sum(counted.dropped.values())


async def test_a_message_with_categories_goes_to_their_subscribers(conn: Connection) -> None:
    counted = await count(conn, [IN_KYIV], [], "email", categories=["news", "promo"])
    assert counted.dropped == {"no_address": 1, "unconfirmed": 1, "category": 2}
    assert counted.reachable == 1, "the subscriber gets the copy of an address shared with another"


async def test_a_phone_has_its_own_consent(conn: Connection) -> None:
    counted = await count(conn, [VIP], [], "sms")
    assert (counted.reachable, counted.dropped) == (3, {"no_address": 5, "unsubscribed": 1})


async def test_transactional_messages_ignore_consent_and_obey_the_blacklist(conn: Connection) -> None:
    counted = await count(conn, [VIP], [OUT], "email", categories=["news"], marketing=False)
    assert counted.reachable == 4
    assert counted.dropped == {
        "no_address": 1,
        "blacklisted": 1,
        "blocked": 1,
        "excluded": 1,
        "duplicate_address": 1,
    }
