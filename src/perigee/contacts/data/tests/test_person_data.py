"""Everything that is known of a person is in the export: made with the person of the erasure's test."""

from __future__ import annotations

from perigee.contacts.data.read import SECTIONS
from perigee.contacts.erasure.tests.test_no_trace import CONTACT_ID, EMAIL, PHONE, live
from perigee.testing.api import Api, make_organisation

PATH = f"/api/v4/contacts/{CONTACT_ID}/data"


async def test_nothing_that_is_stored_is_missing(api: Api) -> None:
    await live(api)
    other = {"channels": [{"type": "email", "value": "twin@example.com"}]}
    twin = (await api.post("/api/v1/contact", other)).json()["id"]
    await api.post(f"/api/v4/contacts/{CONTACT_ID}/merge", {"contact_id": twin})
    found = (await api.get(PATH)).json()
    assert {name for name in SECTIONS if not found[name]} == set()
    assert (found["card"]["first_name"], found["card"]["email"]) == ("Quixandra", EMAIL)
    assert {address["kind"] for address in found["addresses"]} == {"email", "phone"}
    assert {"unsubscribed", "resubscribed"} <= {entry["action"] for entry in found["consent"]}
    (order,) = found["orders"]
    assert (order["details"]["phone"], order["items"][0]["details"]["engraving"]) == (PHONE, "for Zyzzyva")
    assert {"gift": "to Zyzzyva"} in [message["data"] for message in found["messages"]]
    assert [token["token"] for token in found["tokens"] if token["kind"] == "mobilepush"] == ["tok-zyz"]


async def test_additional_fields_have_their_names_and_deleted_people_their_data(api: Api) -> None:
    group = (await api.post("/api/v4/fields/groups", {"name": "Club"})).json()["group_id"]
    field = {"group_id": group, "name": "Level", "type": "textfield"}
    field_id = (await api.post("/api/v4/fields", field)).json()["field_id"]
    body = {"email": EMAIL, "fields": {str(field_id): "gold"}}
    contact_id = (await api.post("/api/v4/contacts", body)).json()["contact_id"]
    await api.delete(f"/api/v4/contacts/{contact_id}?reason=asked")
    found = (await api.get(f"/api/v4/contacts/{contact_id}/data")).json()
    assert list(found["fields"].values()) == ["gold"]
    assert next(iter(found["fields"])).lower() == "club.level"
    assert found["card"]["delete_reason"] == "asked"


async def test_nobody_else_sees_it(api: Api) -> None:
    contact_id = (await api.post("/api/v4/contacts", {"email": EMAIL})).json()["contact_id"]
    _, key = await make_organisation(api.db, "Other Shop")
    assert (await api.get(f"/api/v4/contacts/{contact_id}/data", key=key)).status_code == 404
