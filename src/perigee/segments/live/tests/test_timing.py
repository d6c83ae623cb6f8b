"""When a condition is asked anew though nothing of anybody changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from perigee.segments.conditions import read
from perigee.segments.live.timing import next_change
from perigee.segments.moments import Moment

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
RECHECK, MINUTE, MIDNIGHT = (
    NOON + timedelta(days=30),
    NOON + timedelta(minutes=1),
    datetime(2026, 3, 28, 22, tzinfo=UTC),
)
ON = {"op": "on", "value": "2026-03-01"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"is": "cart"}, RECHECK),
        ({"is": "cart", "period": {"op": "last_days", "days": 2}}, MIDNIGHT),
        ({"is": "site", "what": "page", "period": {"op": "last_hours", "hours": 2}}, MINUTE),
        ({"is": "not", "of": {"is": "abandoned", "what": "cart"}}, MINUTE),
        ({"is": "product_change", "change": "back_in_stock", "period": ON}, MIDNIGHT),
        ({"is": "regular_demand"}, MIDNIGHT),
        ({"is": "regular_demand", "due": ON}, RECHECK),
    ],
    ids=str,
)
def test_what_looks_at_the_clock_is_asked_when_it_may_change(
    condition: dict[str, Any], expected: datetime
) -> None:
    moment = Moment(NOON, ZoneInfo("Europe/Kyiv"))
    found = next_change(read(condition), moment, took=timedelta(), recheck=timedelta(days=30))
    assert found == expected
