"""Adding and updating people, set-wise: what is written, what stays, what rows of one set do to each other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from perigee.contacts.policy import ADD_OR_UPDATE, UPDATE_BY_ID, Match, Policy, Write
from perigee.contacts.rows import CLEAR, ContactRow, Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.upsert import Action, Done
from perigee.errors import Invalid, NotFound


def actions(results: Sequence[object]) -> list[Action]:
    return [result.action for result in results if isinstance(result, Done)]


def ids(results: Sequence[object]) -> list[int]:
    return [result.contact_id for result in results if isinstance(result, Done)]


async def test_a_new_contact_has_every_given_value(people: People) -> None:
    done = await people.one(
        external_id="CRM-1",
        email="anna@example.com",
        phone="380501112233",
        first_name="Anna",
        last_name="Koval",
        contact_key="k-1",
        language="en",
        time_zone="Europe/Kyiv",
        region="North",
        town="Exampleton",
        street="1 Sample St",
        postcode="10001",
        fields={"79001": "gold", "79002": 5},
        orders_info='{"count":7}',
    )
    assert done.action is Action.CREATED
    stored = await people.stored(done.contact_id)
    assert stored["first_name"] == "Anna"
    assert stored["fields"] == {"79001": "gold", "79002": 5}
    assert stored["orders_info"] == {"count": 7}
    assert (stored["street"], stored["postcode"], stored["contact_key"]) == ("1 Sample St", "10001", "k-1")
    assert stored["source"] == "api"


async def test_an_update_leaves_what_is_not_given(people: People) -> None:
    first = await people.one(email="a@example.com", first_name="Anna", town="X", fields={"1": "a", "2": "b"})
    again = await people.one(email="a@example.com", last_name="Koval", fields={"2": "c"})
    assert again == Done(first.contact_id, Action.UPDATED)
    stored = await people.stored(first.contact_id)
    assert (stored["first_name"], stored["last_name"], stored["town"]) == ("Anna", "Koval", "X")
    assert stored["fields"] == {"1": "a", "2": "c"}


async def test_the_signs_for_clearing_take_values_away(people: People) -> None:
    first = await people.one(
        email="a@example.com", first_name="Anna", orders_info="{}", fields={"1": "a", "2": [1]}
    )
    await people.one(email="a@example.com", first_name=CLEAR, orders_info="null", fields={"1": None})
    stored = await people.stored(first.contact_id)
    assert (stored["first_name"], stored["orders_info"], stored["fields"]) == (None, None, {"2": [1]})


async def test_clearing_an_address_does_not_look_for_one(people: People) -> None:
    first = await people.one(external_id="1", email="a@example.com", phone="380501112233")
    await people.one(external_id="1", email=CLEAR)
    stored = await people.stored(first.contact_id)
    assert (stored["email"], stored["phone"]) == (None, "380501112233")
    assert (
        await people.rows("select 1 from address where org_id = %(org_id)s and value = %(v)s", v=CLEAR) == []
    )


async def test_an_update_that_changes_nothing_writes_nothing(people: People) -> None:
    first = await people.one(email="a@example.com", first_name="Anna", fields={"1": ["x", "y"]})
    before = await people.stored(first.contact_id)
    await people.one(
        email="a@example.com", first_name="Anna", last_name=CLEAR, fields={"1": ["x", "y"], "2": None}
    )
    assert await people.stored(first.contact_id) == before
    await people.one(email="a@example.com", fields={"1": ["x"]})
    after = await people.stored(first.contact_id)
    assert after["fields"] == {"1": ["x"]}
    assert after["updated_at"] > before["updated_at"]


async def test_rows_of_one_person_act_one_after_the_other(people: People) -> None:
    results = await people.write(
        [
            ContactRow(email="a@example.com", first_name="Anna", town="X"),
            ContactRow(email="b@example.com"),
            ContactRow(email="a@example.com", first_name="Ann"),
        ]
    )
    assert actions(results) == [Action.CREATED, Action.CREATED, Action.UPDATED]
    assert ids(results)[0] == ids(results)[2]
    stored = await people.stored(ids(results)[0])
    assert (stored["first_name"], stored["town"]) == ("Ann", "X")


async def test_a_row_that_shares_part_of_an_identity_waits_for_the_first(people: People) -> None:
    results = await people.write(
        [
            ContactRow(email="a@example.com", phone="380501112233"),
            ContactRow(phone="380501112233", email="b@example.com", first_name="Bo"),
            ContactRow(email="b@example.com", last_name="Last"),
        ]
    )
    # The second finds the first by phone, because nobody has its email yet, and moves it to the new email.
    assert len(set(ids(results))) == 1
    stored = await people.stored(ids(results)[0])
    assert (stored["email"], stored["first_name"], stored["last_name"]) == ("b@example.com", "Bo", "Last")
    assert await people.count() == 1


async def test_two_rows_that_find_the_same_stored_contact_act_one_after_the_other(people: People) -> None:
    known = await people.one(external_id="1", email="a@example.com")
    results = await people.write(
        [
            ContactRow(external_id="1", email="new@example.com", first_name="First"),
            ContactRow(email="a@example.com", first_name="Second"),
        ]
    )
    # After the first row nobody has the old email, so the second makes a contact of its own.
    assert actions(results) == [Action.UPDATED, Action.CREATED]
    assert (await people.stored(known.contact_id))["first_name"] == "First"


async def test_people_who_share_a_placeholder_address_are_kept_apart(people: People) -> None:
    rows = [ContactRow(external_id=str(n), email="none@example.com") for n in range(50)]
    results = await people.write(rows)
    assert len(set(ids(results))) == 50
    assert await people.count() == 50


@pytest.mark.parametrize(
    "columns",
    [
        {"email": "a@example.com"},
        {"phone": "380501112233"},
        {"external_id": "CRM-1"},
        {"tokens": (Token("mobilepush", "tok:1", "app"),)},
        {"external_id": "CRM-1", "email": "a@example.com", "phone": "380501112233"},
    ],
    ids=lambda columns: "+".join(columns),
)
async def test_many_at_once_bring_one_person_and_make_one_contact(
    people: People, columns: dict[str, Any]
) -> None:
    done = await asyncio.gather(
        *(people.one(**columns, first_name="Anna", town=f"Town {n}") for n in range(64))
    )
    assert len({one.contact_id for one in done}) == 1
    assert [one.action for one in done].count(Action.CREATED) == 1
    assert await people.count() == 1


async def test_sets_that_overlap_in_opposite_order_all_arrive(people: People) -> None:
    rows = [
        ContactRow(external_id=str(n), email=f"p{n}@example.com", phone=f"3805011122{n:02}")
        for n in range(20)
    ]
    await asyncio.gather(*(people.write(rows if n % 2 else rows[::-1]) for n in range(16)))
    assert await people.count() == 20


async def test_put_by_id_finds_nobody_else(people: People) -> None:
    a = await people.one(external_id="A", email="a@example.com")
    b = await people.one(external_id="B", email="b@example.com")
    missing, foreign, own = await people.write(
        [
            ContactRow(contact_id=1, first_name="X"),
            ContactRow(contact_id=a.contact_id, external_id="B", first_name="X"),
            ContactRow(contact_id=b.contact_id, external_id="B2", email="a@example.com", first_name="Y"),
        ],
        UPDATE_BY_ID,
    )
    assert isinstance(missing, NotFound)
    assert isinstance(foreign, Invalid)
    assert foreign.message == "externalCustomerId: 'B' belongs to another contact"
    assert own == Done(b.contact_id, Action.UPDATED)
    assert (await people.stored(a.contact_id))["first_name"] is None
    changed = await people.stored(b.contact_id)
    assert (changed["external_id"], changed["email"], changed["first_name"]) == ("B2", "a@example.com", "Y")


async def test_put_by_id_restores(people: People) -> None:
    a = await people.one(external_id="A", email="a@example.com")
    await people.delete(a.contact_id)
    assert await people.one(UPDATE_BY_ID, contact_id=a.contact_id) == Done(a.contact_id, Action.RESTORED)
    assert (await people.stored(a.contact_id))["deleted_at"] is None


async def test_an_untouchable_contact_stays_as_it_is(people: People) -> None:
    a = await people.one(email="a@example.com", first_name="Anna")
    policy = Policy(Match(("email",), "search"), Write(touch=False))
    assert await people.one(policy, email="a@example.com", first_name="X", groups=("L",)) == Done(
        a.contact_id, Action.UPDATED
    )
    assert (await people.stored(a.contact_id))["first_name"] == "Anna"
    assert await people.rows("select 1 from segment_member where org_id = %(org_id)s") == []


async def test_groups_are_joined_by_name_and_made_once(people: People) -> None:
    results = await people.write(
        [ContactRow(email=f"p{n}@example.com", groups=("News", f"Odd {n % 2}")) for n in range(4)]
    )
    members = await people.rows(
        "select s.name, count(*) as n from segment_member m join segment s using (org_id, segment_id)"
        " where org_id = %(org_id)s group by 1 order by 1"
    )
    assert members == [{"name": "News", "n": 4}, {"name": "Odd 0", "n": 2}, {"name": "Odd 1", "n": 2}]
    await people.one(email="p0@example.com", groups=("News",))
    assert len(await people.rows("select 1 from segment_member where org_id = %(org_id)s")) == 8
    assert len(results) == 4


async def test_a_token_moves_to_its_last_user(people: People) -> None:
    first = await people.one(
        email="a@example.com", tokens=(Token("mobilepush", "t1", "app", device={"os": "iOS"}),)
    )
    second = await people.one(
        email="b@example.com", tokens=(Token("mobilepush", "t1", "app", device={"locale": "en"}),)
    )
    assert first.contact_id != second.contact_id
    (token,) = await people.rows("select * from push_token where org_id = %(org_id)s")
    assert token["contact_id"] == second.contact_id
    assert token["device"] == {"os": "iOS", "locale": "en"}
    found = await people.one(tokens=(Token("mobilepush", "t1", active=False),), first_name="Bo")
    assert found.contact_id == second.contact_id
    (token,) = await people.rows("select * from push_token where org_id = %(org_id)s")
    assert (token["active"], token["app_id"]) == (False, "app")


async def test_an_upsert_keeps_the_consent_of_an_address(people: People) -> None:
    await people.one(email="a@example.com")
    await people.execute(
        "update address set unsubscribed_at = now(), blacklisted_at = now() where org_id = %(org_id)s"
    )
    await people.one(email="a@example.com", first_name="Anna")
    (address,) = await people.rows("select * from address where org_id = %(org_id)s")
    assert address["unsubscribed_at"] is not None
    assert address["blacklisted_at"] is not None


async def test_another_organisation_has_people_of_its_own(people: People) -> None:
    await people.one(external_id="1", email="a@example.com", tokens=(Token("webpush", "t"),))
    other = People(people.db, people.org_id + 1)
    done = await other.one(external_id="1", email="a@example.com", tokens=(Token("webpush", "t"),))
    assert done.action is Action.CREATED
    assert (await people.count(), await other.count()) == (1, 1)


async def test_no_rows_are_no_work(people: People) -> None:
    assert await people.write([], ADD_OR_UPDATE) == []
