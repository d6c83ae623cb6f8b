"""How a contact is found: one test per sentence of contract 7.2, for the methods that take one contact."""

from __future__ import annotations

import pytest

from perigee.contacts.policy import ADD_OR_UPDATE, ORDER, SUBSCRIBE
from perigee.contacts.rows import Token
from perigee.contacts.tests.conftest import People
from perigee.contacts.upsert import Action, Done

PUSH = (Token("mobilepush", "tok", "app"),)


async def test_a_known_external_id_is_updated(people: People) -> None:
    known = await people.one(external_id="A", email="a@example.com")
    found = await people.one(external_id="A", email="new@example.com", first_name="Anna")
    assert found == Done(known.contact_id, Action.UPDATED)
    assert (await people.stored(known.contact_id))["email"] == "new@example.com"


async def test_a_deleted_external_id_is_restored_and_updated(people: People) -> None:
    known = await people.one(external_id="A", email="a@example.com")
    await people.delete(known.contact_id)
    assert await people.one(external_id="A", first_name="Anna") == Done(known.contact_id, Action.RESTORED)
    stored = await people.stored(known.contact_id)
    assert (stored["deleted_at"], stored["first_name"], stored["email"]) == (None, "Anna", "a@example.com")


async def test_an_unknown_external_id_makes_a_contact_even_if_the_email_is_known(people: People) -> None:
    known = await people.one(email="a@example.com")
    made = await people.one(external_id="A", email="a@example.com")
    assert made.action is Action.CREATED
    assert made.contact_id != known.contact_id


@pytest.mark.parametrize("columns", [{"email": "a@example.com"}, {"phone": "380501112233"}, {"tokens": PUSH}])
async def test_without_external_id_any_channel_finds(people: People, columns: dict[str, object]) -> None:
    known = await people.one(external_id="A", email="a@example.com", phone="380501112233", tokens=PUSH)
    assert await people.one(ADD_OR_UPDATE, **columns) == Done(known.contact_id, Action.UPDATED)


async def test_email_goes_before_phone_and_phone_before_token(people: People) -> None:
    by_email = await people.one(email="a@example.com")
    by_phone = await people.one(phone="380501112233")
    by_token = await people.one(tokens=PUSH)
    assert (await people.one(email="a@example.com", phone="380501112233", tokens=PUSH)) == Done(
        by_email.contact_id, Action.UPDATED
    )
    by_device = await people.one(tokens=(Token("mobilepush", "second", "app"),))
    found = await people.one(phone="380509999999", tokens=(Token("mobilepush", "second", "app"),))
    assert found == Done(by_device.contact_id, Action.UPDATED)
    assert len({by_email.contact_id, by_phone.contact_id, by_token.contact_id, by_device.contact_id}) == 4


async def test_the_living_go_before_the_deleted(people: People) -> None:
    dead = await people.one(external_id="A", email="a@example.com")
    alive = await people.one(external_id="B", email="a@example.com")
    await people.one(external_id="A", first_name="Last")
    await people.delete(dead.contact_id)
    assert await people.one(email="a@example.com", town="X") == Done(alive.contact_id, Action.UPDATED)


async def test_a_deleted_contact_that_alone_has_the_address_is_restored(people: People) -> None:
    dead = await people.one(email="a@example.com")
    await people.delete(dead.contact_id)
    assert await people.one(email="a@example.com") == Done(dead.contact_id, Action.RESTORED)


async def test_of_several_the_one_updated_last_is_taken(people: People) -> None:
    first = await people.one(external_id="A", email="a@example.com")
    second = await people.one(external_id="B", email="a@example.com")
    assert (await people.one(email="a@example.com", town="1")).contact_id == second.contact_id
    await people.one(external_id="A", town="2")
    assert (await people.one(email="a@example.com", town="3")).contact_id == first.contact_id


async def test_a_device_does_not_lead_to_a_person_with_another_address(people: People) -> None:
    first = await people.one(email="a@example.com", tokens=PUSH)
    second = await people.one(email="b@example.com", tokens=PUSH)
    assert second.action is Action.CREATED
    (token,) = await people.rows("select contact_id from push_token where org_id = %(org_id)s")
    assert token["contact_id"] == second.contact_id
    assert (await people.stored(first.contact_id))["email"] == "a@example.com"


async def test_subscribe_looks_by_external_id_then_email_then_phone(people: People) -> None:
    a = await people.one(external_id="A", email="a@example.com")
    b = await people.one(email="b@example.com")
    c = await people.one(phone="380501112233")
    assert (await people.one(SUBSCRIBE, external_id="A", email="b@example.com")).contact_id == a.contact_id
    assert (await people.one(SUBSCRIBE, external_id="X", email="b@example.com")).contact_id == b.contact_id
    assert (
        await people.one(SUBSCRIBE, phone="380501112233", email="new@example.com")
    ).contact_id == c.contact_id


async def test_subscribe_does_not_replace_stored_channels(people: People) -> None:
    known = await people.one(external_id="A", email="a@example.com")
    await people.one(
        SUBSCRIBE, external_id="A", email="b@example.com", phone="380501112233", first_name="Anna"
    )
    stored = await people.stored(known.contact_id)
    assert (stored["email"], stored["phone"], stored["first_name"]) == (
        "a@example.com",
        "380501112233",
        "Anna",
    )


async def test_subscribe_does_not_take_an_external_id_away(people: People) -> None:
    known = await people.one(external_id="A", email="a@example.com")
    assert (
        await people.one(SUBSCRIBE, external_id="B", email="a@example.com")
    ).contact_id == known.contact_id
    assert (await people.stored(known.contact_id))["external_id"] == "A"


async def test_subscribe_makes_a_new_address_wait_and_leaves_a_known_one(people: People) -> None:
    await people.one(email="known@example.com")
    await people.one(SUBSCRIBE, email="known@example.com")
    await people.one(SUBSCRIBE, email="new@example.com", phone="380501112233")
    rows = await people.rows("select value, confirmed from address where org_id = %(org_id)s order by value")
    assert {row["value"]: row["confirmed"] for row in rows} == {
        "known@example.com": True,
        "new@example.com": False,
        "380501112233": True,
    }


async def test_an_upsert_by_api_confirms_a_waiting_address_and_says_so(people: People) -> None:
    await people.one(SUBSCRIBE, email="a@example.com")
    await people.one(email="a@example.com")
    (address,) = await people.rows("select confirmed from address where org_id = %(org_id)s")
    assert address["confirmed"]
    log = await people.rows("select value, action, source from consent_log where org_id = %(org_id)s")
    assert log == [{"value": "a@example.com", "action": "confirmed", "source": "api"}]


async def test_an_order_makes_a_contact_but_changes_none(people: People) -> None:
    made = await people.one(ORDER, email="a@example.com", first_name="Anna")
    assert (await people.stored(made.contact_id))["source"] == "order"
    again = await people.one(ORDER, external_id="X", email="a@example.com", first_name="Other")
    assert again.contact_id == made.contact_id
    stored = await people.stored(made.contact_id)
    assert (stored["first_name"], stored["external_id"]) == ("Anna", None)


async def test_a_known_external_id_wins_over_another_email_in_an_order(people: People) -> None:
    by_id = await people.one(external_id="A", email="a@example.com")
    await people.one(email="b@example.com")
    assert (await people.one(ORDER, external_id="A", email="b@example.com")).contact_id == by_id.contact_id
