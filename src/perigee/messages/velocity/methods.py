"""Everything that can be called on a value: one table per kind of value, nothing else (names as Java has them).

A method that is in no table is refused when the message is saved; one that the value at hand has not gives nothing,
as in Velocity. Arguments that do not fit raise Fault: the message is not sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

from perigee.messages.limits import VALUE_WEIGHT, LimitReached
from perigee.messages.person import text_of
from perigee.messages.velocity import tools
from perigee.messages.velocity.run import DATE, MATH, NUMBER, Data, Run, Tool
from perigee.messages.velocity.values import Authored, Fault, bounded, equal, index_of, number


@dataclass(frozen=True, slots=True)
class Method:
    """`least` and `most`: how many arguments it takes."""

    call: Callable[..., object]
    least: int
    most: int

    @classmethod
    def of(cls, call: Callable[..., object]) -> Method:
        """`call` takes the run, the value and then the arguments."""
        arguments = list(signature(call).parameters.values())[2:]
        return cls(call, sum(a.default is Parameter.empty for a in arguments), len(arguments))


def _table(**calls: Callable[..., object]) -> dict[str, Method]:
    return {name: Method.of(call) for name, call in calls.items()}


def _plain(call: Callable[..., object]) -> Callable[..., object]:
    """A method that needs no run: `call` takes the value as text and the arguments as texts."""
    inner = list(signature(call).parameters.values())

    def method(run: Run, value: object, *arguments: object) -> object:
        return call(text_of(value), *map(text_of, arguments))

    method.__signature__ = signature(call).replace(  # type: ignore[attr-defined]  # read by Method.of
        parameters=[Parameter("run", Parameter.POSITIONAL_ONLY), *inner]
    )
    return method


def _substring(run: Run, value: str, first: object, last: object = None) -> str:
    begin = index_of(first, len(value) + 1)
    end = len(value) if last is None else index_of(last, len(value) + 1)
    if end < begin:
        raise Fault(f"substring: {end} is before {begin}")
    return value[begin:end]


def _replace(value: str, old: str, new: str) -> str:
    if value.count(old) * len(new) > VALUE_WEIGHT:
        raise LimitReached(f"replace: the result is longer than {VALUE_WEIGHT} characters")
    return value.replace(old, new)


def _split(value: str, separator: str) -> list[str]:
    """By a plain text; the backslashes of `split("\\|")` are left out, other patterns are not known."""
    separator = separator.replace("\\", "")
    if not separator:
        return list(value)
    parts = value.split(separator)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()  # as Java does
    return parts


def _raw(run: Run, value: object) -> Authored:
    """Ours: the value as it is, without escaping in HTML and without encoding in addresses."""
    return Authored.of((text_of(value), True))


def _get(run: Run, value: Mapping[str, Any], key: object) -> object:
    return value.get(text_of(key))


def _get_or(run: Run, value: Mapping[str, Any], key: object, default: object) -> object:
    found = value.get(text_of(key))
    return default if found is None else found


def _entries(run: Run, value: Mapping[str, Any]) -> list[object]:
    return [{"key": key, "value": item} for key, item in value.items()]


def _element(run: Run, value: list[Any], index: object) -> object:
    return value[index_of(index, len(value))]


def _contains(run: Run, value: list[Any], wanted: object) -> bool:
    run.budget.charge(len(value))
    return any(equal(item, wanted) for item in value)


def _integer(run: Run, value: object) -> object:
    found = number(value)
    return None if found is None else int(found)


def _float(run: Run, value: object) -> object:
    found = number(value)
    return None if found is None else float(found)


ANY = _table(
    equals=lambda run, value, other: other is not None and equal(value, other),
    toString=lambda run, value: text_of(value),
    raw=_raw,
)
TEXT = _table(
    equalsIgnoreCase=_plain(lambda value, other: value.casefold() == other.casefold()),
    length=_plain(lambda value: len(value)),
    substring=_substring,
    replace=_plain(_replace),
    toUpperCase=_plain(lambda value: value.upper()),
    toLowerCase=_plain(lambda value: value.lower()),
    trim=_plain(lambda value: value.strip()),
    concat=_plain(lambda value, other: value + other),
    contains=_plain(lambda value, other: other in value),
    startsWith=_plain(lambda value, other: value.startswith(other)),
    endsWith=_plain(lambda value, other: value.endswith(other)),
    indexOf=_plain(lambda value, other: value.find(other)),
    lastIndexOf=_plain(lambda value, other: value.rfind(other)),
    isEmpty=_plain(lambda value: not value),
    charAt=lambda run, value, index: value[index_of(index, len(value))],
    split=_plain(_split),
)
LIST = _table(
    get=_element,
    size=lambda run, value: len(value),
    isEmpty=lambda run, value: not value,
    contains=_contains,
)
MAP = _table(
    get=_get,
    getOrDefault=_get_or,
    size=lambda run, value: len(value),
    isEmpty=lambda run, value: not value,
    containsKey=lambda run, value, key: value.get(text_of(key)) is not None,
    keySet=lambda run, value: list(value),
    values=lambda run, value: list(value.values()),
    entrySet=_entries,
)
NUMERIC = _table(intValue=_integer, longValue=_integer, doubleValue=_float)
OF_TOOL: Mapping[str, Mapping[str, Method]] = {
    MATH.name: _table(
        add=tools.add, sub=tools.sub, mul=tools.mul, div=tools.div, mod=tools.mod, toInteger=tools.to_integer
    ),
    NUMBER.name: _table(integer=tools.to_integer, format=tools.format_number),
    DATE.name: _table(
        currentDate=tools.current_date,
        currentTimeStamp=tools.current_timestamp,
        formatDate=tools.format_date,
        formatInContactTimezone=tools.format_in_contact_time_zone,
        addYears=tools.adder("years"),
        addMonths=tools.adder("months"),
        addDays=tools.adder("days"),
        addHours=tools.adder("hours"),
        addMinutes=tools.adder("minutes"),
        diff=tools.difference,
    ),
}
KNOWN = frozenset[str]().union(ANY, TEXT, LIST, MAP, NUMERIC, *OF_TOOL.values())
"""Every name that can be called on something."""


def _tables(value: object) -> tuple[Mapping[str, Method], ...]:
    if isinstance(value, Tool):
        return (OF_TOOL[value.name],)
    if isinstance(value, str):
        return TEXT, ANY
    if isinstance(value, list):
        return LIST, ANY
    if isinstance(value, (dict, Data)):
        return MAP, ANY
    return NUMERIC, ANY


def call(run: Run, value: object, name: str, arguments: list[object]) -> object:
    """The method's result; None where the value has no such method. Raises Fault, LimitReached."""
    method = next((table[name] for table in _tables(value) if name in table), None)
    if method is None:
        if isinstance(value, str) and value[:1] in ("[", "{"):
            decoded = run.decoded(value)
            return None if decoded is None else call(run, decoded, name, arguments)
        return None
    if not method.least <= len(arguments) <= method.most:
        raise Fault(f".{name}() does not take {len(arguments)} arguments")
    run.budget.charge(1 + sum(len(text) for text in (value, *arguments) if isinstance(text, str)) // 100)
    result = method.call(run, value, *arguments)
    return bounded(result) if isinstance(result, (str, int)) else result
