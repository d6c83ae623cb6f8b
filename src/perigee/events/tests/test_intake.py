"""Events of three versions, read leniently (contract 5, 16.1–16.3)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.events.intake import CleanEvent, EventIn, clean
from perigee.lib import json_edge
from perigee.lib.text import clean as clean_text

PAIRS = [{"name": "email", "value": "anna@example.com"}, {"name": "items", "value": [{"name": "Mug"}]}]
OBJECT = {"email": "anna@example.com", "items": [{"name": "Mug"}]}


def event(params: Any = None, version: int = 3, **members: Any) -> CleanEvent:
    return clean(EventIn(**({"event_type_key": "seen", "params": params} | members)), version)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("params", [PAIRS, OBJECT])
def test_every_version_takes_an_array_and_an_object(version: int, params: Any) -> None:
    assert event(params, version).params == OBJECT


@pytest.mark.parametrize("params", [None, [], {}])
def test_no_params(params: Any) -> None:
    assert event(params, key_value="k").params == {}


def test_v1_takes_text_numbers_null_objects_and_arrays_as_values() -> None:
    values = ["text", 7, 2.5, None, {"a": 1}, [1]]
    given = [{"name": str(index), "value": value} for index, value in enumerate(values)]
    assert list(event(given, 1).params.values()) == values


def test_the_alias_parameters_with_a_null_key() -> None:
    found = event(None, 1, parameters=PAIRS, key_value=None)
    assert (found.params, found.event_key) == (OBJECT, "anna@example.com")


def test_one_pair_may_stand_for_the_array_but_is_an_object_in_v3() -> None:
    assert event(PAIRS[0], 2).params == {"email": "anna@example.com"}
    assert event(PAIRS[0], 3).params == PAIRS[0]


def test_v2_refuses_a_name_twice_and_v1_takes_the_later_one() -> None:
    twice = [{"name": "a", "value": 1}, {"name": "a", "value": 2}]
    with pytest.raises(Invalid, match=r"params.name: 'a' is given twice"):
        event(twice, 2)
    assert event(twice, 1).params == {"a": 2}


@pytest.mark.parametrize("element", [{"name": "a"}, {"value": 1}, "a", 7, [1]])
def test_an_element_needs_both_members(element: Any) -> None:
    with pytest.raises(Invalid, match=r"params\[0\]: must have the members name and value"):
        event([element], 2)


def test_a_name_has_at_most_100_characters() -> None:
    assert event({"n" * 100: 1}, key_value="k").params
    with pytest.raises(Invalid, match="longer than 100 characters"):
        event({"n" * 101: 1})


@pytest.mark.parametrize("character", list("<>;’\\/|\"`'^?!,"))
def test_forbidden_characters_in_type_and_event_keys(character: str) -> None:
    with pytest.raises(Invalid, match=r"eventTypeKey: .* must not contain"):
        event(event_type_key=f"a{character}b")
    with pytest.raises(Invalid, match=r"keyValue: .* must not contain"):
        event(key_value=f"a{character}b")


def test_cyrillic_letters_and_spaces_are_allowed() -> None:
    assert event(event_type_key="Нове замовлення", key_value="ключ 1").type_key == "Нове замовлення"


def test_lengths_of_keys() -> None:
    assert event(event_type_key="t" * 100, key_value="k" * 300)
    with pytest.raises(Invalid, match=r"eventTypeKey: .* longer than 100"):
        event(event_type_key="t" * 101)
    with pytest.raises(Invalid, match=r"keyValue: .* longer than 300"):
        event(key_value="k" * 301)


@pytest.mark.parametrize("missing", [None, "", " "])
def test_the_type_key_is_required(missing: Any) -> None:
    with pytest.raises(Invalid, match="eventTypeKey: is required"):
        event(event_type_key=missing)


@pytest.mark.parametrize(
    ("params", "key"),
    [
        ({"email": "anna@example.com", "contactId": 5, "externalCustomerId": "C-1"}, "5"),
        ({"phone": "+380 50 111 22 33", "externalCustomerId": "C-1", "email": "anna@example.com"}, "C-1"),
        ({"externalCustomerId": 1001}, "1001"),
        ({"phone": "+380 50 111 22 33", "EMAIL": "Anna@Example.com"}, "anna@example.com"),
        ({"pushToken": "abc:1", "phone": "380501112233"}, "380501112233"),
        ({"pushToken": "abc:1"}, "abc:1"),
        ({"externalCustomerId": "", "email": "anna@example.com"}, "anna@example.com"),
        ({"externalCustomerId": " ", "email": "anna@example.com"}, "anna@example.com"),
        ({"externalCustomerId": "null", "email": "anna@example.com"}, "anna@example.com"),
        ({"email": "o'brien@example.com"}, "o'brien@example.com"),
        ({"contactKey": "k-1"}, None),
        ({"other": 1}, None),
    ],
)
def test_the_key_is_derived_in_the_order_of_the_contract(params: dict[str, Any], key: str | None) -> None:
    assert event(params).event_key == key


def test_control_characters_do_not_get_in() -> None:
    found = event({"a\x00": "b\x1f\x00", "c": ["\x1e"]}, event_type_key="a\x00b", key_value="k\x1f")
    assert (found.type_key, found.event_key, found.params) == ("ab", "k", {"a": "b", "c": [""]})


CONTACT = {
    "firstname": "Anna",
    "lastname": "Koval",
    "sms": "380501112233",
    "town": "Exampleton",
    "timeZone": "Europe/Kyiv",
    "languageCode": "uk",
    "profileInputs": [{"profileInputId": 10001, "value": "gold"}],
    "confirmed": False,
}


def test_a_good_contact_json_as_object_and_as_text() -> None:
    for value in (CONTACT, json_edge.encode(CONTACT).decode(), {}, None):
        assert event({"email": "anna@example.com", "contactJson": value})


def test_a_bad_contact_json_names_every_field_and_its_reason() -> None:
    bad = {
        "firstname": "12345",
        "sms": "12",
        "timeZone": "Mars/Base",
        "languageCode": "klingon!",
        "profileInputs": [{"value": "x"}],
        "confirmed": "maybe",
    }
    with pytest.raises(Invalid) as caught:
        event({"contactJson": bad})
    message = caught.value.message
    assert message.startswith("contactJson: ")
    for field in (
        "firstname: '12345'",
        "sms: '12'",
        "timeZone: 'Mars/Base'",
        "languageCode: 'klingon!'",
        "confirmed: 'maybe'",
    ):
        assert field in message
    assert "profileInputs[0].profileInputId: is required" in message


@pytest.mark.parametrize("value", ["{", "[]", 7])
def test_a_contact_json_that_is_none(value: Any) -> None:
    with pytest.raises(Invalid, match="contactJson: "):
        event({"contactJson": value})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.integers(1, 3), JSON, JSON, JSON)
def test_any_json_is_an_event_or_a_refusal(version: int, type_key: Any, key: Any, params: Any) -> None:
    try:
        found = clean(EventIn(event_type_key=type_key, key_value=key, params=params), version)
    except Invalid:
        return
    assert found.type_key == clean_text(found.type_key).strip()  # no control characters, no surrogates
    assert b"\\u0000" not in json_edge.encode(found.params)
