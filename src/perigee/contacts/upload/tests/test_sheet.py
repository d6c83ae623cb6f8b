"""Reading a file of contacts (contract 10.2): any text in a cell, any bytes in a file."""

from __future__ import annotations

import csv
import io
from contextlib import closing, suppress

from hypothesis import given
from hypothesis import strategies as st

from perigee.contacts.bulk_options import Options
from perigee.contacts.upload.headings import Column, columns
from perigee.contacts.upload.sheet import steps, survey
from perigee.errors import Invalid

OPTIONS = Options("email")
TOWN = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=30).filter(
    lambda text: text == text.strip() and not text.startswith("'")
)


@given(
    st.lists(TOWN, min_size=1, max_size=9),
    st.integers(1, 4),
    st.integers(0, 9),
    st.booleans(),
    st.sampled_from(",;\t"),
)
def test_what_is_written_as_csv_is_read_back_step_by_step(
    towns: list[str], size: int, skip: int, mark: bool, separator: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["Email", "Unknown", "City"])
    writer.writerows([f"p{number}@example.com", "x", town] for number, town in enumerate(towns))
    file = io.BytesIO(text.getvalue().encode("utf-8-sig" if mark else "utf-8"))
    assert survey(file).rows == len(towns)
    with closing(steps(file, {}, OPTIONS, skip=skip, size=size)) as source:
        found = list(source)
    assert [row.town for step in found for row in step.contacts] == towns[skip:]
    assert [step.position for step in found] == list(range(skip, len(towns), size))
    assert sum(len(step.failures) for step in found) == 0
    assert not file.closed


@given(st.binary(max_size=200).map(lambda tail: b"email,city\na@example.com,x\n" + tail))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(UnicodeDecodeError):
        body.decode()
        file = io.BytesIO(body)
        with suppress(Invalid):
            rows = survey(file).rows
            with closing(steps(file, {}, OPTIONS, skip=0, size=7)) as source:
                assert sum(step.length for step in source) == rows


def test_headings_in_every_spelling() -> None:
    fields = {"PERSONAL.BIRTHDAY": 5, "SHOP.ADDITIONAL_INFO": 6}
    headings = [
        "First name",
        "LASTNAME",
        "e-mail",
        "Time_Zone",
        "personal.birthday",
        "Additional Info",
        "email",
    ]
    assert columns(headings, fields, "email") == [
        Column("member", "first_name"),
        Column("member", "last_name"),
        Column("channel", "email"),
        Column("member", "time_zone"),
        Column("field", "5"),
        Column("field", "6"),
        Column("ignored", ""),
    ]
