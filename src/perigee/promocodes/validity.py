"""How long a code must still hold to be good for somebody. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, tzinfo

MOST_DAYS = 36_500


def valid_at(now: datetime, zone: tzinfo, days: int | None = None) -> datetime:
    """The moment at which a code must still hold: now, or the start of the last of `days` days from tomorrow on, in
    the organisation's zone (contract 21.1, `activeDueDays`). A code that ends within that last day is good."""
    if not days:
        return now
    last = now.astimezone(zone).date() + timedelta(days=min(days, MOST_DAYS))
    return datetime.combine(last, time(), zone).astimezone(UTC)
