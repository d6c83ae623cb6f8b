"""Which orders a list is about."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from perigee.errors import Invalid
from perigee.orders.filters import Filter, read_filter

KYIV = ZoneInfo("Europe/Kyiv")


def test_nothing_said_is_everything() -> None:
    assert read_filter({}, KYIV) == Filter()
    assert read_filter({"status": " , ", "text": " ", "from": "", "to": ""}, KYIV) == Filter()


def test_dates_are_whole_days_of_the_organisation() -> None:
    found = read_filter({"from": "2025-03-29", "to": "30.03.2025"}, KYIV)
    assert found.start == datetime(2025, 3, 28, 22, tzinfo=UTC)
    assert found.end == datetime(2025, 3, 30, 21, tzinfo=UTC)  # the night of the change of clocks


@pytest.mark.parametrize(
    "to", ["2025-03-08T09:30:00Z", "2025-03-08T11:30:00+02:00", "2025-03-08T11:30:00 02:00"]
)
def test_a_moment_is_included(to: str) -> None:
    assert read_filter({"to": to}, KYIV).end == datetime(2025, 3, 8, 9, 30, 0, 1, tzinfo=UTC)


def test_several_statuses() -> None:
    assert read_filter({"status": "DELIVERED, CANCELLED"}, KYIV).statuses == ["DELIVERED", "CANCELLED"]


def test_signs_of_patterns_are_letters() -> None:
    assert Filter(text="50%_\\").values()["part"] == "%50\\%\\_\\\\%"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "yesterday"}, "from"),
        ({"to": "2025-13-01"}, "to"),
        ({"from": "2025-03-08", "to": "2025-03-07"}, "to"),
        ({"contact_id": "x"}, "contact_id"),
        ({"text": "x" * 201}, "text"),
        ({"status": ",".join("abcdefghijklmnopqrstu")}, "status"),
    ],
)
def test_what_cannot_be_read_is_named(query: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_filter(query, KYIV)
    assert caught.value.field == field
