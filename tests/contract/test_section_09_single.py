"""Contract 9: contacts one at a time. Bad contacts by the dozen are in `contacts/tests/test_single_wire.py`."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.segments import categories
from perigee.testing.api import Api
from perigee.testing.wire import ok, refused, sentence

MAIL = {"type": "email", "value": "anna@example.com"}
EXAMPLE: dict[str, Any] = {"firstName": "Anna", "channels": [MAIL], "externalCustomerId": "CRM-1001"}
FORM: dict[str, Any] = {
    "contact": {"firstName": "Anna", "channels": [MAIL]},
    "groups": ["Newsletter"],
    "subscriptions": ["news"],
    "formType": "footer",
}


async def add(api: Api, **members: Any) -> int:
    return int(ok(await api.post("/api/v1/contact", {**EXAMPLE, **members})).json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return found


async def events(api: Api) -> list[Any]:
    return await api.rows(
        "select t.key, e.event_key, e.params from event e join event_type t using (org_id, event_type_id)"
        " where org_id = %(org_id)s order by event_id"
    )


async def confirmed(api: Api) -> list[Any]:
    return await api.rows("select confirmed from address where org_id = %(org_id)s and kind = 'email'")


async def test_add_or_update_answers_an_id_confirms_and_makes_no_event(api: Api) -> None:
    answer = ok(await api.post("/api/v1/contact", EXAMPLE))
    contact_id = answer.json()["id"]
    assert answer.json() == {"id": contact_id}
    assert type(contact_id) is int
    assert await confirmed(api) == [(True,)]
    assert await events(api) == []
    assert (await read(api, contact_id))["firstName"] == "Anna"  # at once
    assert await add(api, firstName="Olha") == contact_id
    assert refused(await api.post("/api/v1/contact", {"firstName": "Anna"}))


async def test_extras_that_clients_send(api: Api) -> None:
    contact_id = await add(api, channels=MAIL, groups={"name": "News"}, restoreDeleted=False)
    assert [group["name"] for group in (await read(api, contact_id))["groups"]] == ["News"]
    sentence(await api.delete(f"/api/v1/contact/{contact_id}"))
    assert await add(api, restoreDeleted=False, lastName="Koval") == contact_id  # no part of this method
    assert (await read(api, contact_id))["lastName"] == "Koval"


async def test_the_example_of_an_update_keeps_what_it_does_not_mention(api: Api) -> None:
    contact_id = await add(api, groups=[{"name": "News"}], address={"town": "Exampleton"})
    before = await read(api, contact_id)
    phone = {"type": "sms", "value": "380501112233"}
    body = {"lastName": "Koval", "channels": [phone], "groups": [{"name": "Ignored"}]}
    answer = await api.put(f"/api/v1/contact/{contact_id}", body)
    assert sentence(answer) == f"Contact with id='{contact_id}' has been updated"
    assert await read(api, contact_id) == {**before, "lastName": "Koval", "channels": [MAIL, phone]}
    assert await events(api) == []


async def test_an_update_requires_no_member(api: Api) -> None:
    contact_id = await add(api)
    before = await read(api, contact_id)
    sentence(await api.put(f"/api/v1/contact/{contact_id}", {}))
    assert await read(api, contact_id) == before


async def test_an_update_restores_a_deleted_contact(api: Api) -> None:
    contact_id = await add(api)
    sentence(await api.delete(f"/api/v1/contact/{contact_id}"))
    refused(await api.get(f"/api/v1/contact/{contact_id}"), 404)
    sentence(await api.put(f"/api/v1/contact/{contact_id}", {"lastName": "Koval"}))
    assert (await read(api, contact_id))["firstName"] == "Anna"


async def test_the_wrapped_form_of_an_update(api: Api) -> None:
    contact_id = await add(api)
    body = {"contact": {"lastName": "Koval"}, "groups": None, "formType": None}
    assert "updated" in sentence(await api.put(f"/api/v1/contact/{contact_id}", body))
    assert (await read(api, contact_id))["lastName"] == "Koval"


async def test_a_contact_is_read_with_external_id_and_static_groups(api: Api) -> None:
    found = await read(api, await add(api, groups=[{"name": "News"}]))
    assert found["externalCustomerId"] == "CRM-1001"
    assert [(group["name"], group["type"]) for group in found["groups"]] == [("News", "Static")]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_id_is_404(api: Api, method: str) -> None:
    for number in ("1", "999999999", "99999999999999999999"):
        answer = await api.call(method, f"/api/v1/contact/{number}", {} if method == "PUT" else None)
        assert "not found" in refused(answer, 404)


@pytest.mark.parametrize("erase", ["", "?erase=false", "?erase=0"])
async def test_a_soft_delete_can_be_taken_back_by_an_import(api: Api, erase: str) -> None:
    contact_id = await add(api)
    answer = await api.delete(f"/api/v1/contact/{contact_id}{erase}")
    assert sentence(answer) == f"Contact with id='{contact_id}' has been deleted"
    ok(
        await api.post(
            "/api/v1/contacts", {"contacts": [EXAMPLE], "dedupeOn": "email", "restoreDeleted": True}
        )
    )
    await api.run_jobs()
    assert (await read(api, contact_id))["firstName"] == "Anna"


async def test_erase_is_for_good_with_all_activity(api: Api) -> None:
    contact_id = await add(api)
    event = {
        "eventTypeKey": "viewed",
        "keyValue": "1",
        "params": [{"name": "email", "value": "anna@example.com"}],
    }
    ok(await api.post("/api/v1/event", event))
    answer = await api.delete(f"/api/v1/contact/{contact_id}?erase=true")
    assert sentence(answer) == f"Contact with id='{contact_id}' has been deleted"
    for table in ("contact", "event"):
        mine = f"select 1 from {table} where org_id = %(org_id)s and contact_id = %(contact_id)s"
        assert await api.rows(mine, contact_id=contact_id) == []
    refused(await api.put(f"/api/v1/contact/{contact_id}", {"lastName": "Koval"}), 404)
    assert await add(api, firstName="Olha") != contact_id


@pytest.mark.parametrize("erase", ["1", "true"])
async def test_by_external_id_with_erase(api: Api, erase: str) -> None:
    contact_id = await add(api)
    path = f"/api/v1/contact?externalCustomerId=CRM-1001&erase={erase}"
    assert sentence(await api.delete(path)) == f"Contact with id='{contact_id}' has been deleted"
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []
    assert "not found" in refused(await api.delete(path), 404)


@pytest.mark.parametrize("erase", ["", "&erase=0", "&erase=false"])
async def test_by_external_id_is_200_again_when_softly_deleted_before(api: Api, erase: str) -> None:
    contact_id = await add(api)
    for _ in range(3):
        answer = await api.delete(f"/api/v1/contact?externalCustomerId=CRM-1001{erase}")
        assert sentence(answer) == f"Contact with id='{contact_id}' has been deleted"
    refused(await api.get(f"/api/v1/contact/{contact_id}"), 404)


async def test_by_external_id_the_parameter_is_required_and_an_unknown_one_404(api: Api) -> None:
    assert "externalCustomerId" in refused(await api.delete("/api/v1/contact"))
    assert "not found" in refused(await api.delete("/api/v1/contact?externalCustomerId=nobody"), 404)


# 9.6


async def subscribe(api: Api, **form: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.post("/api/v1/contact/subscribe", form)).json()
    return found


@pytest.fixture
async def news(api: Api) -> None:
    async with api.db.transaction() as connection:
        await categories.create(connection, api.org_id, "News", "news")


@pytest.mark.usefixtures("news")
async def test_the_example_of_a_form(api: Api) -> None:
    answer = await subscribe(api, **FORM)
    contact_id = answer["id"]
    assert answer == {"id": contact_id, "emailStatus": "NEED_CONFIRMATION", "new": True}
    assert await confirmed(api) == [(False,)]
    params = {"ContactId": contact_id, "EmailAddress": "anna@example.com"}
    assert await events(api) == [("subscribeFromApi-footer", str(contact_id), params)]
    subscribed = ok(await api.get(f"/api/v1/contact/{contact_id}/subscriptions")).text
    assert '"news"' in subscribed
    assert "Newsletter" in ok(await api.get("/api/v1/groups")).text


@pytest.mark.parametrize(
    ("form_type", "new", "known"),
    [
        ("abc", "subscribeFromApi-abc", "subscribeUpdateFromApi-abc"),
        (None, "subscribeFromApi", "subscribeUpdateFromApi"),
    ],
)
async def test_the_events_names_say_whether_the_contact_was_known(
    api: Api, form_type: str | None, new: str, known: str
) -> None:
    contact = {"channels": [MAIL]}
    assert (await subscribe(api, contact=contact, formType=form_type))["new"] is True
    again = await subscribe(api, contact={**contact, "firstName": "Anna"}, formType=form_type)
    assert again["new"] is False
    assert [key for key, _, _ in await events(api)] == [new, known]


async def test_a_known_contact_is_updated_and_keeps_its_channels(api: Api) -> None:
    contact_id = await add(api)
    other = {"type": "email", "value": "other@example.com"}
    contact = {"firstName": "Olha", "externalCustomerId": "CRM-1001", "channels": [other]}
    answer = await subscribe(api, contact=contact)
    assert (answer["id"], answer["new"]) == (contact_id, False)
    found = await read(api, contact_id)
    assert (found["firstName"], found["channels"]) == ("Olha", [MAIL])


@pytest.mark.parametrize("groups", ["News", ["News"], {"name": "News"}, [{"name": "News"}]])
async def test_groups_of_a_form_in_every_shape(api: Api, groups: Any) -> None:
    answer = await subscribe(api, contact={"channels": [MAIL]}, groups=groups)
    assert [group["name"] for group in (await read(api, answer["id"]))["groups"]] == ["News"]


async def test_members_that_may_be_null_and_those_sent_beside(api: Api) -> None:
    answer = await subscribe(
        api,
        contact={"channels": [MAIL]},
        groups=None,
        formType=None,
        subscriptions=None,
        fields=[],
        dedupeOn="sms",
    )
    assert set(answer) == {"id", "emailStatus", "new"}


async def test_without_an_email_the_event_has_no_address(api: Api) -> None:
    answer = await subscribe(api, contact={"channels": [{"type": "sms", "value": "380501112233"}]})
    assert await events(api) == [("subscribeFromApi", str(answer["id"]), {"ContactId": answer["id"]})]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/contact", EXAMPLE),
        ("PUT", "/api/v1/contact/{}", {"lastName": "Koval"}),
        ("POST", "/api/v1/contact/subscribe", {"contact": {"channels": [MAIL]}}),
    ],
)
async def test_the_same_request_within_a_minute_is_409(api: Api, method: str, path: str, body: Any) -> None:
    if "{}" in path:
        path = path.format(await add(api))
    ok(await api.call(method, path, body))
    assert "Duplicated request" in refused(await api.call(method, path, body), 409)
