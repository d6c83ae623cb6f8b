"""Asking cheaply first among whom to look."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import narrow as narrowing
from perigee.segments import people
from perigee.segments.conditions import dump, read
from perigee.segments.expand import expand
from perigee.segments.narrow import cheap_part, narrow
from perigee.segments.reading import read_tree
from perigee.segments.tests.cast import CATALOGUE, VIP
from perigee.segments.tests.conftest import Shop
from perigee.segments.tests.population import MOMENT

LIST: dict[str, Any] = {"is": "segment", "id": VIP}
TOWN: dict[str, Any] = {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}
ONCE: dict[str, Any] = {"is": "event", "type": "cart"}
EVENT: dict[str, Any] = {**ONCE, "times": {"op": "at_least", "value": 2}}
ORDERS: dict[str, Any] = {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}


def every(*of: Any) -> dict[str, Any]:
    return {"is": "all", "of": list(of)}


def negated(of: Any) -> dict[str, Any]:
    return {"is": "not", "of": of}


@pytest.mark.parametrize(
    ("condition", "cheap"),
    [
        (every(LIST, EVENT), every(LIST)),
        (every(LIST, ONCE, EVENT), every(LIST)),
        (every(LIST, every(TOWN, negated(EVENT)), ORDERS), every(LIST, TOWN, ORDERS)),
        (every(LIST, {**ORDERS, "which": ["DELIVERED"]}), every(LIST)),
        (every(LIST, {"is": "message", "what": "opened", "times": {"op": "less", "value": 5}}), every(LIST)),
        ({"is": "exclude", "of": EVENT, "minus": LIST}, every(negated(LIST))),
        ({"is": "any", "of": [every(LIST, EVENT)]}, every(LIST)),
        (EVENT, None),
        (every(LIST, TOWN), None),
        (every(LIST, ONCE, negated({**ONCE, "times": {"op": "at_most", "value": 0}})), None),
        ({"is": "any", "of": [LIST, EVENT]}, None),
        (negated(every(LIST, EVENT)), None),
    ],
)
def test_the_cheap_part_is_what_everybody_must_meet(condition: Any, cheap: Any) -> None:
    found = cheap_part(expand(read(condition), CATALOGUE))
    assert (None if found is None else dump(found)) == (None if cheap is None else dump(read(cheap)))


async def test_few_people_become_candidates_and_many_do_not(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "MOST", 3)
    await shop.rows(
        "insert into event_type (org_id, key, name) values (%(org_id)s, 'cart', 'Cart') returning 1"
    )
    ids = await shop.add(3, town="Kyiv")
    await shop.add(1, town="Lviv")
    await shop.rows(
        "insert into event (org_id, occurred_at, event_type_id, contact_id) "
        "select org_id, now(), event_type_id, %(id)s from event_type, generate_series(1, 2) where org_id = %(org_id)s returning 1",
        id=ids[1],
    )
    tree = read(every(TOWN, EVENT))
    reading = await narrow(shop.conn, await read_tree(shop.conn, shop.org_id, tree, MOMENT.now))
    assert sorted(reading.world.candidates or ()) == ids
    assert await people.preview(shop.conn, shop.org_id, tree, MOMENT.now) == (1, [ids[1]])

    await shop.add(1, town="Kyiv")
    reading = await narrow(shop.conn, await read_tree(shop.conn, shop.org_id, tree, MOMENT.now))
    assert reading.world.candidates is None
    assert await people.preview(shop.conn, shop.org_id, tree, MOMENT.now) == (1, [ids[1]])


async def test_of_several_counts_the_rarest_is_asked_of_everybody_and_the_others_of_those_it_leaves(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "MOST", 3)
    await shop.rows(
        "insert into event_type (org_id, key, name) select %(org_id)s, key, key from unnest('{cart,view}'::text[]) key returning 1"
    )
    ids = await shop.add(6, town="Kyiv")
    happened = (
        "insert into event (org_id, occurred_at, event_type_id, contact_id) "
        "select org_id, now(), event_type_id, contact_id from event_type, unnest(%(ids)s::bigint[]) contact_id, "
        "generate_series(1, %(times)s) where org_id = %(org_id)s and key = %(key)s returning 1"
    )
    await shop.rows(happened, key="view", ids=ids, times=50)
    await shop.rows(happened, key="cart", ids=ids[1:3], times=2)
    await shop.rows(
        "insert into event (org_id, occurred_at, event_type_id) select org_id, now(), event_type_id from event_type where key = 'view' and org_id = %(org_id)s returning 1"
    )
    await shop.conn.execute("analyze")
    tree = read(every(TOWN, {**EVENT, "type": "view"}, EVENT))
    reading = await narrow(shop.conn, await read_tree(shop.conn, shop.org_id, tree, MOMENT.now))
    assert sorted(reading.world.candidates or ()) == ids[1:3]
    assert await people.preview(shop.conn, shop.org_id, tree, MOMENT.now) == (2, ids[1:3])


async def test_nobody_left_is_an_answer_too(shop: Shop) -> None:
    await shop.rows(
        "insert into event_type (org_id, key, name) values (%(org_id)s, 'cart', 'Cart') returning 1"
    )
    assert await people.preview(shop.conn, shop.org_id, read(every(TOWN, EVENT)), MOMENT.now) == (0, [])
