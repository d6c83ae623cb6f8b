"""`$mathTool`, `$numberTool` and `$dateTool` (TRACKING 8.2). Nothing in, nothing out: a missing value gives nothing.

Every function takes the run, the tool, and the arguments of the call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from babel.numbers import format_decimal

from perigee.lib.dates import to_millis
from perigee.messages.person import text_of
from perigee.messages.velocity import dates
from perigee.messages.velocity.run import Run
from perigee.messages.velocity.values import Fault, Number, number

PATTERN_LENGTH = 50


def _calculated(calculate: Callable[[Number, Number], Number | None]) -> Callable[..., object]:
    def method(run: Run, tool: object, left: object, right: object) -> object:
        first, second = number(left), number(right)
        return None if first is None or second is None else calculate(first, second)

    return method


def _quotient(left: Number, right: Number) -> Number | None:
    """As the original's: whole results of whole numbers stay whole, 7 / 2 is 3.5, division by zero gives nothing."""
    if right == 0:
        return None
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return left / right


def remainder(left: Number, right: Number) -> Number | None:
    """Java's: with the sign of the dividend."""
    if right == 0:
        return None
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


add = _calculated(lambda left, right: left + right)
sub = _calculated(lambda left, right: left - right)
mul = _calculated(lambda left, right: left * right)
div = _calculated(_quotient)
mod = _calculated(remainder)


def to_integer(run: Run, tool: object, value: object) -> object:
    """The part before the decimal point, not rounded."""
    found = number(value)
    return None if found is None else int(found)


def format_number(run: Run, tool: object, pattern: object, value: object) -> object:
    """A pattern of Java's DecimalFormat (`#.00`, `#,##0.00`); halves go to the even neighbour."""
    found = number(value)
    if found is None:
        return None
    text = text_of(pattern)
    if len(text) > PATTERN_LENGTH:
        raise Fault(f"a number pattern has more than {PATTERN_LENGTH} characters")
    try:
        return format_decimal(Decimal(str(found)), format=text, locale="en")
    except (ValueError, IndexError, InvalidOperation):
        raise Fault(f"{text!r} is not a pattern for {text_of(value)[:40]}") from None


def current_date(run: Run, tool: object, pattern: object = dates.DEFAULT, zone: object = "UTC") -> object:
    """The moment of the rendering, as text."""
    return dates.show(run.moment.now.astimezone(dates.zone_named(text_of(zone))), text_of(pattern))


def current_timestamp(run: Run, tool: object) -> object:
    """Milliseconds since 1970."""
    return to_millis(run.moment.now)


def format_date(run: Run, tool: object, pattern: object, value: object) -> object:
    return None if value is None else dates.show(dates.read(value)[0], text_of(pattern))


def format_in_contact_time_zone(run: Run, tool: object, pattern: object, value: object) -> object:
    """A moment (UTC where it has no offset) in the contact's time zone, UTC when the contact has none."""
    if value is None:
        return None
    moment = _aware(dates.read(value)[0])
    zone = dates.zone_named(run.person.time_zone or "UTC")
    return dates.show(moment.astimezone(zone), text_of(pattern))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def adder(unit: str) -> Callable[..., object]:
    """`addDays(date, n[, inFormat[, outFormat]])`: text in `outFormat`, else in the form the date was read."""

    def method(
        run: Run, tool: object, value: object, count: object, read_by: object = None, show_by: object = None
    ) -> object:
        units = number(count)
        if value is None or units is None:
            return None
        moment, pattern = dates.read(value, None if read_by is None else text_of(read_by))
        shown = dates.added(moment, unit, int(units))
        return dates.show(shown, pattern if show_by is None else text_of(show_by))

    return method


def difference(
    run: Run, tool: object, first: object, second: object, read_by: object, unit: object = None
) -> object:
    """`diff(a, b[, format], unit)`: whole units from a to b."""
    if first is None or second is None:
        return None
    read_by, unit = (None, read_by) if unit is None else (text_of(read_by), unit)
    (a, _), (b, _) = dates.read(first, read_by), dates.read(second, read_by)
    return dates.between(a, b, text_of(unit))
