"""Hours of the day and days of the week in which something happened, of the organisation's clock. Pure."""

from __future__ import annotations

from datetime import datetime

from perigee.errors import Invalid
from perigee.segments.moments import Moment
from perigee.segments.sql import Sql


def check_clock(hours: tuple[int, ...], weekdays: tuple[int, ...], at: str) -> None:
    """`hours` are 0 to 23, `weekdays` 1 (Monday) to 7. Raises Invalid."""
    for name, given, low, high in (("hours", hours, 0, 23), ("weekdays", weekdays, 1, 7)):
        for n, number in enumerate(given):
            if not low <= number <= high:
                raise Invalid.of(f"{at}.{name}[{n}]", number, f"must be a whole number from {low} to {high}")
        if len(set(given)) < len(given):
            raise Invalid(f"{at}.{name}: names one of them twice", field=f"{at}.{name}")


def clock_sql(sql: Sql, expression: str, hours: tuple[int, ...], weekdays: tuple[int, ...]) -> list[str]:
    """That a timestamptz lies in one of the hours, and on one of the weekdays; nothing named is all of them."""
    zone = sql.bind(sql.world.moment.zone.key, "text") if hours or weekdays else ""
    return [
        f"extract({part} from {expression} at time zone {zone})::bigint = any({sql.bind(list(given), 'bigint[]')})"
        for part, given in (("hour", hours), ("isodow", weekdays))
        if given
    ]


def clock_holds(at: datetime, hours: tuple[int, ...], weekdays: tuple[int, ...], moment: Moment) -> bool:
    """The same for one instant."""
    local = at.astimezone(moment.zone)
    return (not hours or local.hour in hours) and (not weekdays or local.isoweekday() in weekdays)
