"""Which orders a list or a sum is about. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.lib.addresses import normal_email, normal_phone
from perigee.lib.dates import in_range, parse_date, to_moment
from perigee.lib.scalars import to_id
from perigee.lib.text import clean_or_none

MAX_TEXT = 200
MAX_STATUSES = 20
_BARE_DATE = re.compile(r"[0-9]+[-./][0-9]+[-./][0-9]+")


class Filter(NamedTuple):
    """All that is given holds together."""

    contact_id: int | None = None
    statuses: list[str] | None = None
    start: datetime | None = None
    """Orders made then or later."""
    end: datetime | None = None
    """Orders made before."""
    text: str | None = None
    """Part of the external order id; or the whole external id, email or phone of the contact."""

    def values(self) -> dict[str, Any]:
        """Parameters of the statements that narrow by it."""
        part = None
        if self.text is not None:
            part = "%" + re.sub(r"([\\%_])", r"\\\1", self.text) + "%"
        return {
            "contact_id": self.contact_id,
            "statuses": self.statuses,
            "start": self.start,
            "end": self.end,
            "part": part,
            "text": self.text,
            "email": normal_email(self.text) if self.text else None,
            "phone": normal_phone(self.text) if self.text else None,
        }


def read_filter(query: Mapping[str, str], zone: tzinfo) -> Filter:
    """From the query of a call. Dates without a time are whole days in `zone`. Raises Invalid."""
    text = clean_or_none(query.get("text"))
    if text is not None and len(text) > MAX_TEXT:
        raise Invalid(f"text: is longer than {MAX_TEXT} characters", field="text")
    start, end = _moment("from", query.get("from"), zone), _end(query.get("to"), zone)
    if start is not None and end is not None and end <= start:
        raise Invalid.of("to", query.get("to"), f"is before from '{(query.get('from') or '')[:40]}'")
    return Filter(
        contact_id=to_id("contact_id", query.get("contact_id")),
        statuses=_statuses(query.get("status")),
        start=start,
        end=end,
        text=text,
    )


def _statuses(given: str | None) -> list[str] | None:
    statuses = [status for part in (given or "").split(",") if (status := clean_or_none(part)) is not None]
    if len(statuses) > MAX_STATUSES:
        raise Invalid(f"status: {len(statuses)} statuses are more than {MAX_STATUSES}", field="status")
    return statuses or None


def _moment(field: str, given: str | None, zone: tzinfo) -> datetime | None:
    # `+` in a query is a space: the offset of a date with time loses it.
    text = re.sub(r"(:[0-9.,]+) ([0-9]{2}:?[0-9]{2})$", r"\1+\2", given) if given else given
    return to_moment(field, text, zone)


def _end(given: str | None, zone: tzinfo) -> datetime | None:
    last = _moment("to", given, zone)
    if last is None or given is None:
        return None
    day = parse_date(given) if _BARE_DATE.fullmatch(given.strip()) else None
    if day is None:
        return last + timedelta(microseconds=1)
    return in_range(datetime.combine(day + timedelta(days=1), time(), zone)) or last
