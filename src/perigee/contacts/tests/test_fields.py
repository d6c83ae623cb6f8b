"""Additional fields: values by type (contract 7.1), definitions, and typing the rows of a set."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts import fields
from perigee.contacts.field_values import Field, Typist, convert, is_blank, show
from perigee.contacts.fields import NewField
from perigee.contacts.rows import ContactRow
from perigee.contacts.tests.conftest import People
from perigee.errors import Conflict, Invalid, NotFound

KYIV = ZoneInfo("Europe/Kyiv")
CHOICES = ("gold", "silver", "gold, plated")


def field(kind: str, **more: Any) -> Field:
    return Field(1, kind, **more)


@pytest.mark.parametrize(
    ("kind", "given_value", "stored"),
    [
        ("textfield", " gold\tcard ", "gold card"),
        ("textfield", 5, "5"),
        ("textarea", "a\nb", "a\nb"),
        ("number", "42", 42),
        ("number", -2147483648, -2147483648),
        ("number", 5.0, 5),
        ("decimal", "59.90", Decimal("59.90")),
        ("date", "2025-03-08", "2025-03-08"),
        ("date", "08/03/2025", "2025-03-08"),
        ("date", "08.03.25", "2025-03-08"),
        ("date", "08.03.2025", "2025-03-08"),
        ("datetime", "2025-03-08T09:30", "2025-03-08T09:30"),
        ("datetime", "2025-03-08T09:30:00Z", "2025-03-08T11:30"),
        ("combobox", "gold", "gold"),
        ("checkboxlist", "silver, gold", ["silver", "gold"]),
        ("checkboxlist", ["gold", "gold"], ["gold"]),
        ("checkboxlist", "gold, plated", ["gold, plated"]),
    ],
)
def test_values_that_fit(kind: str, given_value: Any, stored: Any) -> None:
    choices = CHOICES if kind in ("combobox", "checkboxlist") else ()
    once = convert(field(kind, choices=choices), given_value, KYIV)
    assert once == stored
    assert convert(field(kind, choices=choices), once, KYIV) == stored


@pytest.mark.parametrize(
    ("kind", "given_value"),
    [
        ("textfield", "x" * 1001),
        ("textarea", "x" * 5001),
        ("number", "4.5"),
        ("number", 2147483648),
        ("number", 100),
        ("decimal", "many"),
        ("date", "2025-02-30"),
        ("date", "tomorrow"),
        ("datetime", "08.03.2025 9 o'clock"),
        ("combobox", "bronze"),
        ("checkboxlist", "gold, bronze"),
        ("checkboxlist", [["gold"]]),
        ("textfield", ["a", "b"]),
    ],
)
def test_values_that_do_not_fit(kind: str, given_value: Any) -> None:
    limits = {"high": Decimal(99)} if kind == "number" else {}
    with pytest.raises(Invalid):
        convert(field(kind, choices=CHOICES, **limits), given_value, KYIV)


def test_what_does_not_fit_or_is_unknown_is_counted_and_left_out() -> None:
    known = {"1": field("number"), "2": field("textfield")}
    typist = Typist(known, KYIV)
    for lost in (2, 4):
        assert typist.type({"1": "x", "2": "y", "3": "z"}) == {"2": "y"}
        assert typist.lost == lost
    assert typist.type({"1": None, "2": " "}) == {"1": None, "2": None}


@pytest.mark.parametrize(
    ("stored", "shown"),
    [("x", "x"), (5, "5"), (Decimal("59.90"), "59.90"), (Decimal("1E+3"), "1000"), (["a", "b"], "a,b")],
)
def test_stored_values_are_shown_as_text(stored: Any, shown: str) -> None:
    assert show(stored) == shown


@given(
    st.sampled_from(
        ["textfield", "textarea", "number", "decimal", "date", "datetime", "combobox", "checkboxlist"]
    ),
    st.text() | st.integers() | st.floats() | st.lists(st.text(), max_size=3),
)
def test_any_value_fits_or_is_refused(kind: str, value: Any) -> None:
    if is_blank(value):
        return
    try:
        stored = convert(field(kind, choices=CHOICES), value, KYIV)
    except Invalid:
        return
    assert "\x1f" not in show(stored)


async def test_rows_are_typed_in_place(people: People) -> None:
    async with people.db.transaction() as conn:
        await fields.create_default_fields(conn, people.org_id)
        (bonus,) = [
            one.field_id
            for group in await fields.group_resources(conn, people.org_id)
            for one in group.fields
            if one.key == "BONUS"
        ]
        rows = [
            ContactRow(fields={str(bonus): "7", "5": "x"}),
            ContactRow(),
            ContactRow(fields={str(bonus): -1}),
        ]
        assert await fields.apply_types(conn, people.org_id, rows) == 2
        assert [row.fields for row in rows] == [{str(bonus): 7}, {}, {}]
        assert await fields.apply_types(conn, people.org_id, rows) == 0


async def test_definitions_are_unique_by_key_within_their_group(people: People) -> None:
    async with people.db.transaction() as conn:
        group_id = await fields.create_group(conn, people.org_id, "My card")
        await fields.create_field(
            conn, people.org_id, group_id, NewField("Level", "", "combobox", ("a", "b"))
        )
        with pytest.raises(Conflict):
            await fields.create_field(conn, people.org_id, group_id, NewField("LEVEL", "", "textfield"))
        with pytest.raises(Conflict):
            await fields.create_group(conn, people.org_id, "my CARD")
        with pytest.raises(NotFound):
            await fields.create_field(conn, people.org_id, 5, NewField("Level", "", "textfield"))
        (group,) = await fields.group_resources(conn, people.org_id)
    assert (group.key, group.fields[0].key, group.fields[0].choices) == ("MY_CARD", "LEVEL", ["a", "b"])


@pytest.mark.parametrize(
    "definition",
    [
        NewField("", "", "number"),
        NewField("x", "", "colour"),
        NewField("x", "", "combobox"),
        NewField("x", "", "number", ("a",)),
        NewField("x", "", "date", low=1),
        NewField("x", "", "number", low=2, high=1),
    ],
)
def test_definitions_that_break_a_rule(definition: NewField) -> None:
    with pytest.raises(Invalid):
        fields.check(definition)
