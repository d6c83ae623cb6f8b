"""What is kept for how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from perigee.db.partitions import TABLES, months
from perigee.settings import Settings


def kept_months(settings: Settings) -> Mapping[str, int]:
    """Whole months before the current one, by table; 0 = all of them, for ever."""
    return {
        "event": settings.keep_event_months,
        "activity": settings.keep_activity_months,
        "delivery": settings.keep_delivery_months,
    }


def months_made(settings: Settings) -> Mapping[str, int]:
    """Of how many months before the current one `partitions.ensure` makes partitions: of none that goes at once."""
    kept = kept_months(settings)
    return {table: min(back, kept[table] or back) for table, back in TABLES.items()}


def first_kept(kept: int, now: datetime) -> datetime | None:
    """The first instant that is kept, the start of a month in UTC; None = everything is."""
    return months(now, kept, 0)[0][0] if kept else None
