"""What a card says after a merge and after its undoing: rules of fields, by hand and by search."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts.merging.cards import ADDRESS, SINGLE, Choice, merged, undone
from perigee.errors import Conflict, Invalid

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
EMPTY: dict[str, Any] = dict.fromkeys(("external_id", "email", "phone", *SINGLE, *ADDRESS))


def card(contact_id: int = 1, day: int = 1, made: int = 1, **columns: Any) -> dict[str, Any]:
    return {
        "contact_id": contact_id,
        **EMPTY,
        "fields": {},
        "source": f"source {contact_id}",
        "created_at": f"2026-01-{made:02}T00:00:00+00:00",
        "updated_at": f"2026-02-{day:02}T00:00:00+00:00",
        **columns,
    }


def test_of_two_values_the_newer_contacts_wins_and_an_empty_one_never() -> None:
    old = card(1, day=1, first_name="Ann", language="uk", fields={"1": "a", "2": "b"})
    new = card(2, day=2, first_name="Anna", fields={"2": "c", "3": "d"})
    found = merged(old, new, Choice(), NOW)
    assert (found["first_name"], found["language"]) == ("Anna", "uk")
    assert found["fields"] == {"1": "a", "2": "c", "3": "d"}
    found = merged(old, new, Choice(prefer="survivor"), NOW)
    assert (found["first_name"], found["fields"]["2"]) == ("Ann", "b")


def test_identifiers_are_the_survivors_own_unless_taken() -> None:
    one = card(1, day=1, email="a@x.com")
    two = card(2, day=2, email="b@x.com", phone="380501112233", external_id="B")
    found = merged(one, two, Choice(), NOW)
    assert (found["email"], found["phone"], found["external_id"]) == ("a@x.com", "380501112233", "B")
    assert merged(one, two, Choice(take=["email"]), NOW)["email"] == "b@x.com"
    assert merged(two, one, Choice(take=["phone"]), NOW)["phone"] == "380501112233"


def test_a_postal_address_is_not_mixed_from_two() -> None:
    one = card(1, day=1, town="Kyiv", street="Main 1")
    two = card(2, day=2, town="Lviv")
    found = merged(one, two, Choice(), NOW)
    assert [found[column] for column in ADDRESS] == [None, "Lviv", None, None]
    assert merged(two, one, Choice(take=["address"]), NOW)["street"] == "Main 1"


def test_two_external_ids_are_two_customers_unless_one_may_be_forgotten() -> None:
    one, two = card(1, external_id="A"), card(2, external_id="B")
    with pytest.raises(Conflict, match=r"'A'.*'B'"):
        merged(one, two, Choice(), NOW)
    assert merged(one, two, Choice(forget_external_id=True), NOW)["external_id"] == "A"
    with pytest.raises(Invalid, match=r"take\[0\]"):
        merged(one, two, Choice(take=["source"]), NOW)


def test_the_earlier_making_and_its_source_stay() -> None:
    found = merged(card(1, made=5), card(2, made=3), Choice(), NOW)
    assert (found["created_at"][:10], found["source"]) == ("2026-01-03", "source 2")


def test_a_value_changed_since_the_merge_stays_at_its_undoing() -> None:
    before, other = (
        card(1, fields={"1": "a"}),
        card(2, day=2, first_name="Anna", town="Lviv", fields={"1": "b"}),
    )
    written = merged(before, other, Choice(), NOW)
    changed = {**written, "first_name": "Hanna", "fields": {"1": "b", "9": "new"}}
    found = undone(changed, before, written)
    assert (found["first_name"], found["town"]) == ("Hanna", None)
    assert found["fields"] == {"1": "a", "9": "new"}


texts = st.none() | st.sampled_from(["x", "y", "z"])
cards = st.builds(
    lambda columns, fields, day, made, contact_id: card(contact_id, day, made, **columns, fields=fields),
    st.fixed_dictionaries(dict.fromkeys(EMPTY, texts)),
    st.dictionaries(st.sampled_from("123"), st.sampled_from(["x", 1, ["a"]])),
    st.integers(1, 9),
    st.integers(1, 9),
    st.just(1),
)


@given(
    cards,
    cards,
    st.sampled_from(["newest", "survivor"]),
    st.sets(st.sampled_from(["phone", "address", "fields"])),
)
def test_undoing_is_the_way_back(one: Any, two: Any, prefer: Any, take: set[str]) -> None:
    written = merged(one, {**two, "contact_id": 2}, Choice(prefer, sorted(take), True), NOW)
    assert undone(written, one, written) == one
