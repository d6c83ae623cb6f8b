"""dateFrom and dateTo (contract 8.4, 11.3)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.reports.period import read_days, read_period

KYIV = ZoneInfo("Europe/Kyiv")


def test_bare_dates_are_days_of_the_zone_and_the_last_is_included() -> None:
    period = read_period("2026-01-10", "2026-01-11", KYIV)
    assert period == (datetime(2026, 1, 9, 22, tzinfo=UTC), datetime(2026, 1, 11, 22, tzinfo=UTC))


def test_the_day_of_a_clock_change_is_included_as_long_as_it_is() -> None:
    period = read_period("2026-03-29", "2026-03-29", KYIV)
    assert (period.end.astimezone(UTC) - period.start.astimezone(UTC)).total_seconds() == 23 * 3600


@pytest.mark.parametrize(
    "text",
    ["2026-01-10T09:30", "2026-01-10T07:30:00Z", "2026-01-10T08:30:00+01:00", "2026-01-10T08:30:00 01:00"],
)
def test_times_are_read_in_every_form_also_with_an_eaten_plus(text: str) -> None:
    assert read_period(text, "2026-01-11T00:00", KYIV).start == datetime(2026, 1, 10, 7, 30, tzinfo=UTC)


def test_a_blank_between_date_and_time_is_no_eaten_plus() -> None:
    assert read_period("2026-01-10 09:30", "2026-01-11", KYIV).start == datetime(
        2026, 1, 10, 7, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("date_from", "date_to", "words"),
    [
        (None, "2026-01-01", "dateFrom: is required"),
        ("2026-01-01", " ", "dateTo: is required"),
        ("2026-13-01", "2026-01-01", "dateFrom: '2026-13-01' is not a date"),
        ("2026-01-02", "2026-01-01", "dateTo: '2026-01-01' is before dateFrom '2026-01-02'"),
        ("2026-01-01T10:00", "2026-01-01T09:59", "is before dateFrom"),
        ("2026-01-01", "2026-04-02", "is more than 3 months after dateFrom"),
        ("2025-11-30", "2026-03-01", "is more than 3 months after dateFrom"),
    ],
)
def test_a_refusal_names_field_value_and_rule(date_from: str | None, date_to: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        read_period(date_from, date_to, KYIV, months=3)


@pytest.mark.parametrize(
    ("date_from", "date_to"), [("2026-01-01", "2026-04-01"), ("2025-11-30", "2026-02-28")]
)
def test_three_months_of_the_calendar_are_the_longest_period(date_from: str, date_to: str) -> None:
    assert read_period(date_from, date_to, KYIV, months=3)


def test_days_are_today_where_none_is_given() -> None:
    today = date(2026, 5, 4)
    assert read_days(None, None, today) == (today, today)
    assert read_days("2026-05-01", "", today) == (date(2026, 5, 1), today)
    with pytest.raises(Invalid, match="dateTo: '2026-05-04' is before dateFrom '2026-05-05'"):
        read_days("2026-05-05", None, today)


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_a_period_or_refused(date_from: str, date_to: str) -> None:
    try:
        period = read_period(date_from, date_to, KYIV, months=3)
    except Invalid:
        return
    assert period.start <= period.end
