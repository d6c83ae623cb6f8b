"""Whom an event is about (contract 16, "Contact of an event")."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.events.identify import identify
from perigee.events.types import Identity


@pytest.mark.parametrize("name", ["ContactId", "Contact_id", "contactid", "CONTACT_ID"])
def test_names_of_the_contact_id(name: str) -> None:
    assert identify({name: "100001"}) == Identity(contact_id=100001)


@pytest.mark.parametrize("name", ["Email", "EmailAddress", "UserEmail", "ContactEmail", "EMAIL"])
def test_names_of_the_email(name: str) -> None:
    assert identify({name: "Anna@Example.com"}) == Identity(email="anna@example.com")


@pytest.mark.parametrize("name", ["Phone", "SMS", "PhoneNumber", "sms"])
def test_names_of_the_phone(name: str) -> None:
    assert identify({name: "+380 (50) 111-22-33"}) == Identity(phone="380501112233")


def test_the_other_names() -> None:
    params = {"PushToken": "t:1", "Contact_key": "k-1", "externalCustomerId": 7}
    assert identify(params) == Identity(token="t:1", contact_key="k-1", external_id="7")


@pytest.mark.parametrize(
    "params",
    [
        {"ContactId": "x"},
        {"ContactId": -1},
        {"ContactId": 2**63},
        {"Email": "bad"},
        {"Phone": "1"},
        {"Email": None},
        {"Email": ["a@example.com"]},
        {"ContactId": True},
    ],
)
def test_what_is_no_such_identifier_is_passed_over(params: dict[str, Any]) -> None:
    assert identify(params) == Identity()


def test_the_first_name_with_a_value_counts() -> None:
    assert (
        identify({"ContactEmail": "b@example.com", "Email": " ", "UserEmail": "a@example.com"}).email
        == "a@example.com"
    )


@pytest.mark.parametrize(
    ("value", "who"),
    [
        ("anna@example.com", Identity(email="anna@example.com")),
        ("+380501112233", Identity(phone="380501112233")),
        ("CRM-1", Identity(external_id="CRM-1")),
        (1001, Identity(external_id="1001")),
        (None, Identity()),
    ],
)
def test_a_type_may_name_its_own_parameter_instead(value: Any, who: Identity) -> None:
    assert identify({"buyer": value, "email": "other@example.com"}, "Buyer") == who
