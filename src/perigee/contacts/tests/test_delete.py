"""Deletion: softly, and for good with everything that names the person (contract 9.4, reliability 39)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.contacts.delete import delete, delete_by_external_id
from perigee.contacts.erasure.erase import erase_all
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.errors import NotFound


async def erase(people: People, *contact_ids: int) -> list[int]:
    async with people.db.transaction() as conn:
        return await erase_all(conn, people.org_id, contact_ids)


async def test_a_soft_delete_keeps_everything(people: People) -> None:
    done = await people.one(email="a@example.com", first_name="Anna", groups=("L",))
    for _ in range(2):
        async with people.db.transaction() as conn:
            await delete(conn, people.org_id, done.contact_id)
    stored = await people.stored(done.contact_id)
    assert stored["first_name"] == "Anna"
    assert stored["deleted_at"] is not None


async def test_unknown_people_are_not_found(people: People) -> None:
    async with people.db.transaction() as conn:
        with pytest.raises(NotFound):
            await delete(conn, people.org_id, 5)
        with pytest.raises(NotFound, match="not found"):
            await delete_by_external_id(conn, people.org_id, "X", erase=True)


async def fill(people: People, contact_id: int) -> None:
    """Something of this person in every table that can hold it."""
    for statement in (
        "insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at, details)"
        " values (%(org_id)s, 'SO-' || %(id)s, %(id)s, 'DELIVERED', 5, 'EUR', now(), '{\"email\": \"a@example.com\"}')",
        "insert into contact_orders (org_id, contact_id, orders, total, delivered, delivered_total)"
        " values (%(org_id)s, %(id)s, 1, 5, 1, 5)",
        "insert into event (org_id, occurred_at, event_type_id, contact_id, params)"
        ' values (%(org_id)s, now(), 1, %(id)s, \'{"email": "a@example.com"}\')',
        "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, at)"
        " values (%(org_id)s, now(), 1, %(id)s, %(id)s, 'x' || %(id)s, 'sent', now())",
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail)"
        " values (%(org_id)s, now(), 1, 1, %(id)s, 'email', 'READ', 'Firefox')",
        "insert into consent_log (org_id, kind, value, contact_id, action, source)"
        " values (%(org_id)s, 'category', 'news', %(id)s, 'subscribed', 'api')",
    ):
        await people.execute(statement, id=contact_id)


async def traces(people: People, contact_id: int, email: str) -> dict[str, int]:
    counts = {}
    for table, condition in {
        "contact": "contact_id = %(id)s",
        "push_token": "contact_id = %(id)s",
        "segment_member": "contact_id = %(id)s",
        "orders": "contact_id = %(id)s",
        "contact_orders": "contact_id = %(id)s",
        "event": "contact_id = %(id)s",
        "delivery": "contact_id = %(id)s",
        "activity": "contact_id = %(id)s",
        "consent_log": "contact_id = %(id)s or value = %(email)s",
        "address": "value = %(email)s",
    }.items():
        (row,) = await people.rows(
            f"select count(*) as n from {table} where org_id = %(org_id)s and ({condition})",
            id=contact_id,
            email=email,
        )
        counts[table] = row["n"]
    return counts


async def test_erasure_leaves_no_trace_of_the_person_and_all_of_the_others(people: People) -> None:
    both: list[dict[str, Any]] = [
        {"email": f"{name}@example.com", "groups": ("L",), "tokens": (Token("webpush", name),)}
        for name in "ab"
    ]
    a, b = [await people.one(**columns) for columns in both]
    for done in (a, b):
        await fill(people, done.contact_id)
    assert await erase(people, a.contact_id, 5) == [a.contact_id]
    assert set((await traces(people, a.contact_id, "a@example.com")).values()) == {0}
    assert set((await traces(people, b.contact_id, "b@example.com")).values()) == {1}
    orders = await people.rows(
        "select total, contact_id, details from orders where org_id = %(org_id)s order by 2 nulls last"
    )
    assert [row["total"] for row in orders] == [5, 5]
    assert (orders[1]["contact_id"], orders[1]["details"]) == (None, {})
    assert len(await people.rows("select 1 from delivery where org_id = %(org_id)s")) == 2


async def test_an_address_that_somebody_else_has_stays(people: People) -> None:
    a = await people.one(external_id="A", email="a@example.com")
    await people.one(external_id="B", email="a@example.com")
    await erase(people, a.contact_id)
    assert len(await people.rows("select 1 from address where org_id = %(org_id)s")) == 1


async def test_an_erased_unsubscribed_address_stays_unsubscribed(people: People) -> None:
    done = await people.one(email="a@example.com")
    async with people.db.transaction() as conn:
        await unsubscribe(conn, people.org_id, [Unsubscribe("email", "a@example.com", source="page")])
    await erase(people, done.contact_id)
    held = await people.rows("select * from erased_address where org_id = %(org_id)s")
    assert len(held) == 1
    assert "a@example.com" not in str(held)
    assert set((await traces(people, done.contact_id, "a@example.com")).values()) == {0}

    await people.write([ContactRow(email="a@example.com"), ContactRow(email="b@example.com")])
    rows = await people.rows(
        "select value, unsubscribed_at is not null as off from address where org_id = %(org_id)s order by 1"
    )
    assert rows == [{"value": "a@example.com", "off": True}, {"value": "b@example.com", "off": False}]
