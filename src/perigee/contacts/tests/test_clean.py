"""From wire to columns: leniency, refusals, and that nothing that comes out can hurt what follows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts.clean import clean
from perigee.contacts.rows import TEXT_COLUMNS, ContactRow, Token
from perigee.contacts.types import WireContact
from perigee.db.columns import NULL, SEPARATOR
from perigee.errors import Invalid


def read(contact: dict[str, Any]) -> ContactRow:
    return clean(msgspec.convert(contact, WireContact))


def test_the_first_of_several_addresses_counts() -> None:
    channels = [
        {"type": "viber", "value": "380501112233"},
        {"type": "sms", "value": "380509999999"},
        {"type": "email", "value": ""},
        {"type": "email", "value": "A@example.com"},
        {"type": "email", "value": "b@example.com"},
    ]
    row = read({"channels": channels})
    assert (row.phone, row.email, row.email_spelling) == ("380501112233", "a@example.com", "A@example.com")


def test_tokens_with_their_devices() -> None:
    channels = [
        {
            "type": "mobilepush",
            "value": "t",
            "device": {"appId": "app", "os": "iOS", "active": "false", "locale": " "},
        },
        {"type": "mobilepush", "value": "t", "device": {"appId": "app", "os": "iOS"}},
        {"type": "telegrambot", "value": 555},
        {"type": "webpush", "value": "w", "webPushSubscription": {"appId": 7, "ip": "192.0.2.1"}},
        {"type": "inapp", "value": " "},
    ]
    assert read({"channels": channels}).tokens == (
        Token("mobilepush", "t", "app", True, {"os": "iOS"}),
        Token("telegram", "555"),
        Token("webpush", "w", "7", True, {"ip": "192.0.2.1"}),
    )


def test_fields_keep_their_raw_values_and_blanks_are_left_out() -> None:
    fields = [
        {"id": "1", "value": " x "},
        {"id": 2, "value": ["a", "b"]},
        {"id": 3, "value": " "},
        {"id": 4},
        None,
    ]
    assert read({"fields": fields}).fields == {"1": " x ", "2": ["a", "b"]}
    assert read({"fields": {"id": 1, "value": 5}}).fields == {"1": 5}


def test_groups_are_names_and_dynamic_ones_are_not_joined() -> None:
    groups = [{"name": "A", "type": "Static"}, {"name": "B", "type": "Dynamic"}, "C", "C", None]
    assert read({"groups": groups}).groups == ("A", "C")


@pytest.mark.parametrize(
    ("contact", "message"),
    [
        ({"channels": [{"value": "x"}]}, "channels.type: '' must be one of"),
        ({"channels": [{"type": "webpush", "value": "x" * 1001}]}, "is longer than 1000 characters"),
        (
            {"channels": [{"type": "mobilepush", "value": "t", "device": {"deviceModel": "x" * 51}}]},
            "device.deviceModel: ",
        ),
        ({"address": {"town": "x" * 256}}, "address.town: "),
        ({"ordersInfo": {"note": "x" * 1001}}, "ordersInfo: is longer than 1000 characters"),
        ({"lastName": "1234 Koval"}, "lastName: '1234 Koval' holds more than 3 digits"),
    ],
)
def test_refusals_name_member_and_rule(contact: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(contact)
    assert message in refused.value.message


text = st.text(max_size=30)
scalar = st.none() | text | st.integers() | st.booleans() | st.floats(allow_nan=False)
channel = st.fixed_dictionaries(
    {"type": st.sampled_from(["email", "sms", "webpush", "mobilepush", "x"]), "value": scalar | st.emails()},
    optional={"device": st.fixed_dictionaries({"appId": scalar, "os": scalar, "active": scalar})},
)
contact = st.fixed_dictionaries(
    {},
    optional={
        "firstName": scalar,
        "lastName": scalar,
        "externalCustomerId": scalar,
        "contactKey": scalar,
        "languageCode": scalar,
        "timeZone": scalar,
        "channels": st.lists(channel | st.none(), max_size=3) | channel | st.none(),
        "address": st.fixed_dictionaries({"town": scalar, "region": scalar}),
        "fields": st.lists(
            st.fixed_dictionaries({"id": scalar, "value": scalar | st.lists(scalar, max_size=2)}), max_size=2
        ),
        "groups": st.lists(scalar, max_size=2) | text,
    },
)


@given(contact)
def test_whatever_comes_is_cleaned_or_refused(given_contact: dict[str, Any]) -> None:
    try:
        row = read(given_contact)
    except Invalid as refused:
        assert str(refused)  # noqa: PT017  # either outcome is right, and a refusal says why
        return
    for column in TEXT_COLUMNS:
        value = getattr(row, column)
        if value is not None:
            assert value == value.strip() != ""
            assert not set(value) & {SEPARATOR, NULL, "\0", "\x1d"}
            value.encode()
    for token in row.tokens:
        assert token.value.strip()
    for name in row.groups:
        assert not set(name) & {SEPARATOR, NULL, "\0"}
