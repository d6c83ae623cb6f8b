"""Sets so large that new rows are written by COPY: the same people come out as from small sets."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.contacts import store
from perigee.contacts.copying import MANY
from perigee.contacts.erasure.erase import erase_all
from perigee.contacts.policy import ADD_OR_UPDATE, SUBSCRIBE, UPDATE_BY_ID
from perigee.contacts.rows import CLEAR, ContactRow, Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.unsubscribe import Unsubscribe, unsubscribe
from perigee.contacts.upsert import Action, Done, upsert

AWKWARD = 'back\\slash \\N \\. "quoted" %s'


def many(**columns: Any) -> list[ContactRow]:
    return [ContactRow(external_id=f"F{n}", email=f"f{n}@example.com", **columns) for n in range(MANY)]


async def test_every_kind_of_value_arrives(people: People) -> None:
    full = ContactRow(
        external_id=AWKWARD,
        email="anna@example.com",
        email_spelling="Anna@example.com",
        phone="380501112233",
        first_name="Олена",
        town="\\t",
        fields={"1": "two\nlines\t\\ and é", "2": 5, "3": ["a", "b\\"], "4": None},
        orders_info='{"note":"\\\\"}',
        tokens=(Token("webpush", "t\\"),),
        groups=("L",),
    )
    first_name_cleared = ContactRow(email="bo@example.com", first_name=CLEAR)
    results = await people.write([full, first_name_cleared, *many()])
    assert {result.action for result in results if isinstance(result, Done)} == {Action.CREATED}
    (done, bare, *_) = (result for result in results if isinstance(result, Done))
    stored = await people.stored(done.contact_id)
    assert (stored["external_id"], stored["first_name"], stored["town"]) == (AWKWARD, "Олена", "\\t")
    assert stored["fields"] == {"1": "two\nlines\t\\ and é", "2": 5, "3": ["a", "b\\"]}
    assert stored["orders_info"] == {"note": "\\"}
    assert stored["last_name"] is None
    assert (await people.stored(bare.contact_id))["first_name"] is None
    (address,) = await people.rows(
        "select * from address where org_id = %(org_id)s and value = 'anna@example.com'"
    )
    assert (address["spelling"], address["confirmed"]) == ("Anna@example.com", True)
    assert await people.count() == MANY + 2


async def test_known_and_new_people_in_one_set(people: People) -> None:
    known = await people.one(external_id="F7", email="f7@example.com", town="X")
    results = await people.write(many(first_name="Anna"))
    assert results[7] == Done(known.contact_id, Action.UPDATED)
    stored = await people.stored(known.contact_id)
    assert (stored["first_name"], stored["town"]) == ("Anna", "X")
    assert await people.count() == MANY


async def test_new_addresses_of_forms_wait_for_their_owners(people: People) -> None:
    await people.write(many(phone="380501112233"), SUBSCRIBE)
    rows = await people.rows(
        "select kind, confirmed, count(*) as n from address where org_id = %(org_id)s group by 1, 2"
    )
    assert {(row["kind"], row["confirmed"], row["n"]) for row in rows} == {
        ("email", False, MANY),
        ("phone", True, 1),
    }


async def test_erased_addresses_are_still_known(people: People) -> None:
    done = await people.one(email="f3@example.com")
    async with people.db.transaction() as conn:
        await unsubscribe(conn, people.org_id, [Unsubscribe("email", "f3@example.com", source="page")])
        await erase_all(conn, people.org_id, [done.contact_id])
    await people.write(many())
    off = await people.rows(
        "select value from address where org_id = %(org_id)s and unsubscribed_at is not null"
    )
    assert off == [{"value": "f3@example.com"}]


@pytest.mark.parametrize("size", [1, MANY])
async def test_a_set_that_is_undone_leaves_nothing(people: People, size: int) -> None:
    rows = [*many()[:size], ContactRow(contact_id=5, email="x@example.com")]

    async def broken() -> None:
        async with people.db.transaction() as conn:
            await upsert(conn, people.org_id, rows, ADD_OR_UPDATE)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await broken()
    assert await people.count() == 0
    assert await people.rows("select 1 from address where org_id = %(org_id)s") == []


async def test_a_contact_erased_between_match_and_update_does_not_come_back(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = await people.one(email="a@example.com", town="X")
    match = store.match
    erased: list[int] = []

    async def match_then_erase(*arguments: Any) -> Any:
        found = await match(*arguments)
        if not erased:
            async with people.db.transaction() as conn:
                erased.extend(await erase_all(conn, people.org_id, [done.contact_id]))
        return found

    monkeypatch.setattr(store, "match", match_then_erase)
    results = await people.write([ContactRow(contact_id=done.contact_id, town="Y")], UPDATE_BY_ID)
    assert erased == [done.contact_id]
    assert not isinstance(results[0], Done)
    assert await people.count() == 0
