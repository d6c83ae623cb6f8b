"""Dates and numbers in the forms of several countries."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.imports.types import DateOrder, DecimalSign
from perigee.imports.values import read_date, read_moment, read_number


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("2025-03-08", "auto", date(2025, 3, 8)),
        ("08/03/2025", "auto", date(2025, 3, 8)),
        ("08.03.2025", "auto", date(2025, 3, 8)),
        ("08.03.25", "auto", date(2025, 3, 8)),
        ("08.03.90", "auto", date(1990, 3, 8)),
        ("2025-03-08T09:30:00+02:00", "auto", date(2025, 3, 8)),
        ("03/08/2025", "mdy", date(2025, 3, 8)),
        ("8-3-2025", "dmy", date(2025, 3, 8)),
        ("25.03.08", "ymd", date(2025, 3, 8)),
        ("2025-03-08", "mdy", date(2025, 3, 8)),
        ("45724", "auto", date(2025, 3, 8)),
        ("31.02.2025", "auto", None),
        ("29.02.2025", "dmy", None),
        ("29.02.2024", "dmy", date(2024, 2, 29)),
        ("13/13/2025", "mdy", None),
        ("2025", "auto", None),
        ("0", "auto", None),
        ("080325", "auto", None),
        ("soon", "dmy", None),
        ("08.03-2025", "dmy", None),
        ("08.03.1025", "dmy", None),
    ],
)
def test_dates(text: str, order: DateOrder, day: date | None) -> None:
    assert read_date(text, order) == day


@given(st.dates(date(1927, 5, 18), date(2173, 10, 13)))
def test_every_day_of_a_spreadsheet(day: date) -> None:
    assert read_date(str((day - date(1899, 12, 30)).days), "auto") == day


@given(st.text(max_size=20), st.sampled_from(["auto", "dmy", "mdy", "ymd"]))
def test_any_text_is_a_date_or_none(text: str, order: DateOrder) -> None:
    read_date(text, order)
    read_moment(text, order, UTC)


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2025-03-08 09:30", "auto", "2025-03-08T07:30"),
        ("2025-03-08T09:30:00Z", "auto", "2025-03-08T09:30"),
        ("08.03.2025 9:30", "auto", "2025-03-08T07:30"),
        ("03/08/2025 09:30:15", "mdy", "2025-03-08T07:30"),
        ("08.03.2025", "auto", "2025-03-07T22:00"),
        ("45724.5", "auto", "2025-03-08T10:00"),
        ("31.02.2025 09:30", "auto", None),
        ("08.03.2025 25:30", "auto", None),
    ],
)
def test_moments(text: str, order: DateOrder, moment: str | None) -> None:
    found = read_moment(text, order, ZoneInfo("Europe/Kyiv"))
    assert (found and f"{found:%Y-%m-%dT%H:%M}") == moment
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "sign", "number"),
    [
        ("1 234,56", "auto", "1234.56"),
        ("1,234.56", "auto", "1234.56"),
        ("1.234,56", "auto", "1234.56"),
        ("12,5", "auto", "12.5"),
        ("0,125", "auto", "0.125"),
        ("1,234", "auto", "1,234"),
        ("1,234", ".", "1234"),
        ("1,234", ",", "1.234"),
        ("1.234", ",", "1234"),
        ("1,234,567", "auto", "1234567"),
        ("-5", "auto", "-5"),
        ("five", "auto", "five"),
    ],
)
def test_numbers(text: str, sign: DecimalSign, number: str) -> None:
    assert read_number(text, sign) == number
