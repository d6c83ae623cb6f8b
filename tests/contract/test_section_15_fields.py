"""Contract section 15 on the wire: additional fields."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.contacts import fields
from perigee.contacts.fields import NewField
from perigee.reports.tests.conftest import Books
from perigee.testing.api import Api
from perigee.testing.wire import data

TYPES = ("textfield", "combobox", "checkboxlist", "textarea", "date", "number", "datetime", "decimal")
CHOICES = {"combobox", "checkboxlist"}


async def define(api: Api, *, group: str, **given: NewField) -> list[int]:
    async with api.db.transaction() as conn:
        group_id = await fields.create_group(conn, api.org_id, group)
        return [await fields.create_field(conn, api.org_id, group_id, one) for one in given.values()]


async def only(api: Api, group: str, **given: NewField) -> list[int]:
    """The organisation has this group of fields and no other."""
    await api.rows("delete from field where org_id = %(org_id)s")
    await api.rows("delete from field_group where org_id = %(org_id)s")
    return await define(api, group=group, **given)


async def book(api: Api) -> dict[str, Any]:
    answer = data(await api.get("/api/v1/addressbooks"))
    assert answer.keys() == {"addressBook"}
    found: dict[str, Any] = answer["addressBook"]
    return found


async def test_the_one_catalogue_is_an_object_and_a_new_organisation_has_two_groups(api: Api) -> None:
    found = await book(api)
    assert (found["addressBookId"], found["name"]) == (7200, "Main")
    assert isinstance(found["fieldGroups"], list)
    assert len(found["fieldGroups"]) >= 2
    for group in found["fieldGroups"]:
        assert group.keys() == {"name", "profileKey", "fields"}
        for field in group["fields"]:
            assert field.keys() == {"id", "name", "fieldKey", "description"}
            assert {"type", "required", "readonly"} <= field["description"].keys()


async def test_fields_of_a_group_are_described_as_in_the_example(api: Api) -> None:
    level = NewField("Level", "LEVEL", "combobox", choices=("gold", "silver"))
    ids = await define(api, group="Shelf", level=level, birthday=NewField("Birthday", "BIRTHDAY", "date"))
    group = (await book(api))["fieldGroups"][-1]
    assert group == {
        "name": "Shelf",
        "profileKey": "SHELF",
        "fields": [
            {
                "id": ids[0],
                "name": "Level",
                "fieldKey": "LEVEL",
                "description": {
                    "type": "combobox",
                    "allowedValues": {"possibleValues": ["gold", "silver"]},
                    "required": False,
                    "readonly": False,
                },
            },
            {
                "id": ids[1],
                "name": "Birthday",
                "fieldKey": "BIRTHDAY",
                "description": {"type": "date", "required": False, "readonly": False},
            },
        ],
    }


BONUS = NewField("Bonus", "BONUS", "number", low=0, high=9999)


async def test_a_field_alone_stands_without_its_list_as_in_the_example(api: Api) -> None:
    (field_id,) = await define(api, group="Card", bonus=BONUS)
    assert (await book(api))["fieldGroups"][-1] == {
        "name": "Card",
        "profileKey": "CARD",
        "fields": {
            "id": str(field_id),
            "name": "Bonus",
            "fieldKey": "BONUS",
            "description": {
                "type": "number",
                "allowedValues": {"minValue": 0, "maxValue": 9999},
                "required": "false",
                "readonly": "false",
            },
        },
    }


async def test_a_group_alone_stands_without_its_list(api: Api) -> None:
    await only(api, "Card", bonus=BONUS)
    assert (await book(api))["fieldGroups"]["profileKey"] == "CARD"


async def test_the_switch_makes_arrays_of_everything(api: Api) -> None:
    (field_id,) = await only(api, "Card", bonus=BONUS)
    await api.rows("update organisation set settings = '{\"always_arrays\": true}' where org_id = %(org_id)s")
    (found,) = data(await api.get("/api/v1/addressbooks"))["addressBook"]
    ((field,),) = [group["fields"] for group in found["fieldGroups"]]
    assert (field["id"], field["description"]["required"]) == (field_id, False)


@pytest.mark.parametrize("kind", TYPES)
async def test_types_are_written_in_lower_case(api: Api, kind: str) -> None:
    choices = ("a", "b") if kind in CHOICES else ()
    await only(api, "Card", one=NewField("One", "ONE", kind, choices=choices))
    assert (await book(api))["fieldGroups"]["fields"]["description"]["type"] == kind


async def test_additional_fields_are_a_plain_array(api: Api) -> None:
    level = NewField("Level", "LEVEL", "combobox", choices=("gold",))
    (field_id,) = await only(api, "Personal", level=level)
    assert data(await api.get("/api/v1/additionalfields")) == [
        {"id": field_id, "name": "Level", "fieldKey": "LEVEL", "profileKey": "PERSONAL", "type": "combobox"}
    ]


async def test_the_merge_tag_of_a_field_is_its_groups_key_and_its_own(api: Api) -> None:
    (field_id,) = await define(api, group="Card", bonus=BONUS)
    channels = [{"type": "email", "value": "anna@example.com"}]
    contact = {"channels": channels, "fields": [{"id": field_id, "value": "77"}]}
    anna = data(await api.post("/api/v1/contact", contact))["id"]
    books = Books(api)
    words = {"from": "Shop", "text": "You have %CARD.BONUS%"}
    send = await books.send("sms", versions={"en": words}, field_keys={"CARD.BONUS": str(field_id)})
    await books.ledger(send, anna, "380501112233")
    (message,) = await books.history(contactId=anna)
    assert message["text"] == "You have 77"
