"""The data set as published, and the people made up for it."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from perigee.demo.expected import PUBLISHED, Published, expect, published_figures
from perigee.demo.names import CULTURES
from perigee.demo.people import make_people, make_person
from perigee.demo.purchases import CUSTOMERS, Purchase, read_purchases
from perigee.errors import OperatorError
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.languages import normal_language
from perigee.lib.names import name_problem


def test_the_figures_worked_out_from_the_file_are_the_published_ones() -> None:
    found = expect(make_people(CUSTOMERS), read_purchases())
    worked_out = Published(found.contacts, found.orders, found.total, len(found.repeat_buyers))
    assert worked_out == PUBLISHED
    assert published_figures(found) == PUBLISHED


def test_the_first_lines_of_the_file() -> None:
    assert read_purchases(2) == [
        Purchase(1, 1, date(1997, 1, 1), 1, Decimal("11.77")),
        Purchase(2, 2, date(1997, 1, 12), 1, Decimal("12.00")),
        Purchase(3, 2, date(1997, 1, 12), 5, Decimal("77.00")),
    ]


@pytest.mark.parametrize("size", [0, -1, CUSTOMERS + 1])
def test_a_size_that_makes_no_sense_is_refused(size: int) -> None:
    with pytest.raises(OperatorError, match="1 to 23,570"):
        read_purchases(size)


def test_everybody_is_somebody_else() -> None:
    people = make_people(CUSTOMERS)
    emails = [person.email for person in people if person.email]
    assert len(set(emails)) == len(emails)
    assert len({person.phone for person in people}) == CUSTOMERS
    assert make_person(17) == people[16]


def test_everybody_is_accepted_by_our_own_rules() -> None:
    for person in make_people(CUSTOMERS):
        assert person.email is None or normal_email(person.email) == person.email
        assert person.email is None or person.email.endswith("@example.com")
        assert normal_phone(person.phone) is not None
        assert "55501" in (normal_phone(person.phone) or "")
        for name in (person.first_name, person.last_name):
            assert name is None or name_problem(name) is None, name


def test_names_of_many_languages() -> None:
    assert sum(culture.share for culture in CULTURES) == 100
    languages = Counter(person.language for person in make_people(2000))
    assert set(languages) == {culture.language for culture in CULTURES}
    assert all(normal_language(language) == language for language in languages)


def test_a_contact_as_the_wire_has_it() -> None:
    contact = make_person(8).as_contact()
    assert contact == {
        "externalCustomerId": "CDNOW-00008",
        "firstName": "Микола",
        "lastName": "Гончар",
        "channels": [
            {"type": "email", "value": "mykola.honchar.8@example.com"},
            {"type": "sms", "value": "+1 201 555 0107"},
        ],
        "address": {"town": "Львів"},
        "languageCode": "uk",
        "timeZone": "Europe/Kyiv",
    }
    nameless, mailless = make_person(11).as_contact(), make_person(3).as_contact()
    assert "firstName" not in nameless
    assert [channel["type"] for channel in mailless["channels"]] == ["sms"]


@pytest.mark.parametrize("size", [1, 2, 300, 5000])
def test_expectations_add_up(size: int) -> None:
    found = expect(make_people(size), read_purchases(size))
    assert len(found.reached) + sum(found.dropped(after_leaving=False).values()) == len(found.repeat_buyers)
    staying = len(found.reached) - len(found.leavers)
    assert staying + sum(found.dropped(after_leaving=True).values()) == len(found.repeat_buyers)
    assert set(found.leavers) <= set(found.clickers) <= set(found.readers) <= set(found.reached)
    assert published_figures(found).orders == found.orders
