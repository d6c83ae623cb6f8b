"""Bulk calls: how contacts are found and what is updated, one test per sentence of contract 10.1."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.contacts.bulk_options import WireOptions, clean_options
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.upsert import Action, Done, Result
from perigee.errors import Invalid, NotFound

CREATED, UPDATED, RESTORED, SKIPPED = Action.CREATED, Action.UPDATED, Action.RESTORED, Action.SKIPPED


async def bulk(people: People, *rows: ContactRow, **options: Any) -> list[Result]:
    policy = clean_options(WireOptions(**{"dedupe_on": "email", **options})).policy("api")
    return await people.write(list(rows), policy)


async def one(people: People, row: ContactRow, **options: Any) -> Done:
    (result,) = await bulk(people, row, **options)
    assert isinstance(result, Done), result
    return result


async def test_the_external_id_is_looked_for_first(people: People) -> None:
    a = await people.one(external_id="A", email="a@example.com")
    await people.one(email="b@example.com")
    found = await one(people, ContactRow(external_id="A", email="b@example.com", first_name="Anna"))
    assert found == Done(a.contact_id, UPDATED)


async def test_an_unknown_external_id_goes_to_the_contact_with_the_email(people: People) -> None:
    known = await people.one(email="a@example.com")
    assert await one(people, ContactRow(external_id="A", email="a@example.com", town="X")) == Done(
        known.contact_id, UPDATED
    )
    stored = await people.stored(known.contact_id)
    assert (stored["external_id"], stored["town"]) == ("A", "X")


async def test_of_several_with_that_email_the_one_updated_last(people: People) -> None:
    first = await people.one(external_id="A", email="a@example.com")
    second = await people.one(external_id="B", email="a@example.com")
    assert (await one(people, ContactRow(email="a@example.com", town="1"))).contact_id == second.contact_id
    await people.one(external_id="A", town="2")
    assert (await one(people, ContactRow(email="a@example.com", town="3"))).contact_id == first.contact_id


async def test_of_two_with_that_email_the_one_without_another_external_id(people: People) -> None:
    without = await people.one(email="a@example.com")
    await people.one(external_id="B", email="a@example.com")
    found = await one(people, ContactRow(external_id="A", email="a@example.com"))
    assert found == Done(without.contact_id, UPDATED)


async def test_all_with_that_email_have_other_external_ids_a_new_contact(people: People) -> None:
    await people.one(external_id="B", email="a@example.com")
    await people.one(external_id="C", email="a@example.com")
    assert (await one(people, ContactRow(external_id="A", email="a@example.com"))).action is CREATED
    assert await people.count() == 3


async def test_a_deleted_external_id_without_restore_is_skipped(people: People) -> None:
    dead = await people.one(external_id="A", email="a@example.com")
    await people.delete(dead.contact_id)
    before = await people.stored(dead.contact_id)
    found = await one(people, ContactRow(external_id="A", email="a@example.com", town="X", groups=("L",)))
    assert found == Done(dead.contact_id, SKIPPED)
    assert await people.stored(dead.contact_id) == before
    assert await people.rows("select 1 from segment_member where org_id = %(org_id)s") == []


async def test_a_deleted_external_id_with_restore_is_restored_and_updated(people: People) -> None:
    dead = await people.one(external_id="A", email="a@example.com")
    await people.delete(dead.contact_id)
    row = ContactRow(external_id="A", email="a@example.com", town="X")
    assert await one(people, row, restore_deleted=True) == Done(dead.contact_id, RESTORED)
    stored = await people.stored(dead.contact_id)
    assert (stored["deleted_at"], stored["town"]) == (None, "X")


async def test_a_deleted_email_follows_restore_too(people: People) -> None:
    dead = await people.one(email="a@example.com")
    await people.delete(dead.contact_id)
    assert (await one(people, ContactRow(email="a@example.com"))).action is SKIPPED
    assert (await one(people, ContactRow(email="a@example.com"), restore_deleted=1)).action is RESTORED


PUSH = (Token("mobilepush", "m", "app"),)
WEB = (Token("webpush", "w"),)


@pytest.mark.parametrize(
    ("dedupe_on", "row"),
    [
        ("email", ContactRow(email="a@example.com", phone="15550100")),
        ("sms", ContactRow(email="other@example.com", phone="380501112233")),
        ("push", ContactRow(email="other@example.com", tokens=PUSH)),
        ("push", ContactRow(email="other@example.com", tokens=WEB)),
        ("mobilepush", ContactRow(email="other@example.com", tokens=PUSH)),
        ("webpush", ContactRow(email="other@example.com", tokens=WEB)),
        ("email_or_sms", ContactRow(email="a@example.com")),
        ("email_or_sms", ContactRow(email="other@example.com", phone="380501112233")),
        ("externalCustomerId", ContactRow(external_id="A", email="other@example.com")),
    ],
)
async def test_every_dedupe_field_finds(people: People, dedupe_on: str, row: ContactRow) -> None:
    known = await people.one(external_id="A", email="a@example.com", phone="380501112233", tokens=PUSH + WEB)
    await people.one(external_id="Z", email="z@example.com", phone="15550199")
    assert await one(people, row, dedupe_on=dedupe_on) == Done(known.contact_id, UPDATED)


@pytest.mark.parametrize(
    ("dedupe_on", "row"),
    [
        ("email", ContactRow(email="other@example.com", phone="380501112233")),
        ("sms", ContactRow(email="a@example.com", phone="15550100")),
        ("mobilepush", ContactRow(email="a@example.com", tokens=WEB)),
        ("webpush", ContactRow(email="a@example.com", tokens=PUSH)),
        ("externalCustomerId", ContactRow(external_id="B", email="a@example.com")),
    ],
)
async def test_other_fields_do_not_find(people: People, dedupe_on: str, row: ContactRow) -> None:
    await people.one(email="a@example.com", phone="380501112233", tokens=PUSH + WEB)
    assert (await one(people, row, dedupe_on=dedupe_on)).action is CREATED


async def test_dedupe_on_id(people: People) -> None:
    known = await people.one(email="a@example.com")
    found, unknown, new = await bulk(
        people,
        ContactRow(contact_id=known.contact_id, email="b@example.com"),
        ContactRow(contact_id=5, email="c@example.com"),
        ContactRow(external_id="N", email="d@example.com"),
        dedupe_on="id",
    )
    assert found == Done(known.contact_id, UPDATED)
    assert isinstance(unknown, NotFound)
    assert isinstance(new, Done)
    assert new.action is CREATED
    assert (await people.stored(known.contact_id))["email"] == "b@example.com"


async def test_dedupe_on_an_additional_field(people: People) -> None:
    known = await people.one(email="a@example.com", fields={"79001": "card-7", "79002": 5})
    await people.one(email="z@example.com", fields={"79001": "card-8", "79002": 7})
    row = ContactRow(email="b@example.com", fields={"79001": "card-7"})
    assert await one(people, row, dedupe_on="fieldId", field_id="79001") == Done(known.contact_id, UPDATED)
    by_number = ContactRow(email="c@example.com", fields={"79002": 5})
    assert await one(people, by_number, dedupe_on="fieldId", field_id=79002) == Done(
        known.contact_id, UPDATED
    )
    missing = ContactRow(email="b@example.com", fields={"79001": "card-9"})
    assert (await one(people, missing, dedupe_on="fieldId", field_id=79001)).action is CREATED


async def test_rows_with_the_same_field_value_become_one(people: People) -> None:
    results = await bulk(
        people,
        ContactRow(email="a@example.com", fields={"79001": "card-7"}),
        ContactRow(email="b@example.com", fields={"79001": "card-7"}),
        dedupe_on="fieldId",
        field_id=79001,
    )
    assert [result.action for result in results if isinstance(result, Done)] == [CREATED, UPDATED]
    assert await people.count() == 1


async def test_the_dedupe_field_is_not_updated_but_filled(people: People) -> None:
    full = await people.one(external_id="A", email="a@example.com")
    bare = await people.one(external_id="B", phone="15550100")
    await bulk(
        people,
        ContactRow(external_id="A", email="x@example.com"),
        ContactRow(external_id="B", email="y@example.com"),
    )
    assert (await people.stored(full.contact_id))["email"] == "a@example.com"
    assert (await people.stored(bare.contact_id))["email"] == "y@example.com"


async def test_without_contact_fields_given_values_are_written_and_nothing_is_cleared(people: People) -> None:
    known = await people.one(email="a@example.com", phone="380501112233", first_name="Anna", town="X")
    await one(people, ContactRow(email="a@example.com", first_name="Ann"), contact_fields=[])
    stored = await people.stored(known.contact_id)
    assert (stored["first_name"], stored["town"], stored["phone"]) == ("Ann", "X", "380501112233")


async def test_only_listed_fields_are_updated(people: People) -> None:
    known = await people.one(email="a@example.com", first_name="Anna", town="X")
    row = ContactRow(email="a@example.com", external_id="A", first_name="Ann", town="Y", phone="15550100")
    await one(people, row, contact_fields=["town", "nonsense"])
    stored = await people.stored(known.contact_id)
    assert (stored["town"], stored["first_name"], stored["phone"], stored["external_id"]) == (
        "Y",
        "Anna",
        None,
        None,
    )


async def test_a_listed_field_without_value_is_cleared(people: People) -> None:
    known = await people.one(
        email="a@example.com",
        external_id="A",
        first_name="Anna",
        last_name="Koval",
        region="R",
        orders_info="{}",
    )
    await one(
        people,
        ContactRow(external_id="A", email="a@example.com", last_name="K"),
        contact_fields=["firstName", "lastName", "region", "ordersInfo", "email"],
    )
    stored = await people.stored(known.contact_id)
    assert (stored["first_name"], stored["last_name"], stored["region"], stored["orders_info"]) == (
        None,
        "K",
        None,
        None,
    )
    assert stored["email"] == "a@example.com"


async def test_woocommerce_takes_a_phone_away(people: People) -> None:
    known = await people.one(email="a@example.com", phone="380501112233", first_name="Anna")
    await one(people, ContactRow(email="a@example.com"), contact_fields=["sms"])
    stored = await people.stored(known.contact_id)
    assert (stored["phone"], stored["first_name"], stored["email"]) == (None, "Anna", "a@example.com")


async def test_a_listed_kind_of_token_without_token_is_cleared(people: People) -> None:
    known = await people.one(email="a@example.com", tokens=PUSH + WEB)
    await one(people, ContactRow(email="a@example.com"), contact_fields=["mobilepush"])
    tokens = await people.rows("select kind, contact_id from push_token where org_id = %(org_id)s")
    assert tokens == [{"kind": "webpush", "contact_id": known.contact_id}]


async def test_a_new_contact_gets_everything_whatever_is_listed(people: People) -> None:
    row = ContactRow(
        email="a@example.com", first_name="Anna", phone="15550100", fields={"1": "x"}, tokens=PUSH
    )
    made = await one(people, row, contact_fields=["town"], custom_fields_ids=[2])
    stored = await people.stored(made.contact_id)
    assert (stored["first_name"], stored["phone"], stored["fields"]) == ("Anna", "15550100", {"1": "x"})
    assert len(await people.rows("select 1 from push_token where org_id = %(org_id)s")) == 1


async def test_on_an_update_only_the_listed_additional_fields_change(people: People) -> None:
    known = await people.one(email="a@example.com", fields={"1": "a", "2": "b", "3": "c"})
    row = ContactRow(email="a@example.com", fields={"1": "A", "2": "B"})
    await one(people, row)
    assert (await people.stored(known.contact_id))["fields"] == {"1": "a", "2": "b", "3": "c"}
    await one(people, row, custom_fields_ids=[1, "3"])
    assert (await people.stored(known.contact_id))["fields"] == {"1": "A", "2": "b"}


async def test_equal_rows_of_one_call_act_one_after_the_other(people: People) -> None:
    known = await people.one(email="k@example.com", first_name="Anna", town="X", phone="15550100")
    rows = [
        ContactRow(email="k@example.com", first_name="One", town="Y", phone="15550101"),
        ContactRow(email="k@example.com", first_name="Two"),
        ContactRow(email="n@example.com", first_name="One", town="Y", phone="15550102"),
        ContactRow(email="n@example.com", first_name="Two"),
    ]
    results = await bulk(people, *rows, contact_fields=["firstName", "sms"])
    assert [result.action for result in results if isinstance(result, Done)] == [
        UPDATED,
        UPDATED,
        CREATED,
        UPDATED,
    ]
    stored = await people.stored(known.contact_id)
    assert (stored["first_name"], stored["town"], stored["phone"]) == ("Two", "X", None)
    made = results[2]
    assert isinstance(made, Done)
    stored = await people.stored(made.contact_id)
    assert (stored["first_name"], stored["town"], stored["phone"]) == ("Two", "Y", None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dedupe_on": "phone"}, "dedupeOn: 'phone' must be one of "),
        ({"dedupe_on": "fieldId"}, "fieldId: is required"),
        ({"custom_fields_ids": ["x"]}, "customFieldsIDs: 'x' is not a whole number"),
        ({"event_key_for_new_contacts": "a<b"}, "eventKeyForNewContacts: 'a<b' must not contain '<'"),
    ],
)
def test_options_that_break_a_rule(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        clean_options(WireOptions(**options))
    assert refused.value.message.startswith(message)


def test_a_missing_dedupe_field_is_email() -> None:
    assert clean_options(WireOptions()).dedupe_on == "email"
