"""A block of rows as contacts, column by column: the hot path of an import. Pure.

A bad value in the key's column, or none there, refuses the row; any other bad value is left out and the row is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from itertools import zip_longest
from typing import Any, Final, cast

from msgspec import UNSET

from perigee.contacts import clean as contacts
from perigee.contacts.clean import ADDRESS_LENGTH, ID_LENGTH
from perigee.contacts.field_values import Field, convert
from perigee.contacts.rows import CLEAR, TEXT_COLUMNS, ContactRow
from perigee.errors import Invalid, PerigeeError
from perigee.imports.people.targets import FIELD
from perigee.imports.types import Block, Cleaned, DateOrder, DecimalSign, Level, Remark
from perigee.imports.values import read_date, read_moment, read_number
from perigee.lib.csv_out import unguard
from perigee.lib.dates import wire_minutes
from perigee.lib.scalars import to_id, to_text

_NEVER_CLEARED: Final = frozenset({"external_id", "id", "email", "phone"})
"""What people are found by stays when a cell is blank; taking an address away would lose the person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How the columns of a file are read. `columns`: targets by place. `keys`: targets of which a row needs one."""

    columns: Mapping[int, str]
    keys: tuple[str, ...]
    fields: Mapping[str, Field]
    zone: tzinfo
    dates: DateOrder = "auto"
    decimal_sign: DecimalSign = "auto"
    import_empty: bool = False


Converter = Callable[[str], Any]
"""From a cell that is not blank to its stored value. Raises Invalid."""


def clean_block(block: Block, reading: Reading) -> Cleaned:
    sheet = list(zip_longest(*block.rows, fillvalue=""))
    size = len(block.rows)
    remarks = list(block.remarks)
    refused: set[int] = set()
    values: dict[str, list[Any]] = {}
    for place, target in reading.columns.items():
        cells = _stripped(sheet[place]) if place < len(sheet) else [""] * size
        level: Level = "error" if reading.keys == (target,) else "warning"
        values[target] = _convert(cells, target, reading, _Notes(block.lines, place, level, remarks, refused))
    _refuse_keyless(block, reading, values, remarks, refused)
    rows = _contacts(values, size)
    kept = [number for number in range(size) if number not in refused] if refused else range(size)
    if refused:
        remarks = _without_values_of_refused(remarks, {block.lines[number] for number in refused})
    return Cleaned(
        block.position,
        block.length,
        [block.lines[number] for number in kept] if refused else block.lines,
        [rows[number] for number in kept] if refused else rows,
        remarks,
    )


def _stripped(cells: Sequence[str]) -> list[str]:
    found = list(map(str.strip, cells))
    if "'" in "".join(found):
        return [unguard(cell).strip() for cell in found]
    return found


@dataclass(frozen=True, slots=True)
class _Notes:
    """Where the refusals of one column go."""

    lines: Sequence[int]
    place: int
    level: Level
    remarks: list[Remark]
    refused: set[int]

    def refuse(self, number: int, value: str, error: Invalid) -> None:
        self.remarks.append(Remark(self.lines[number], self.level, self.place, value, rule_of(error)))
        if self.level == "error":
            self.refused.add(number)


def rule_of(error: PerigeeError) -> str:
    """What a refusal says without the value: that has a column of its own in the report, and may be erased."""
    if not isinstance(error, Invalid) or error.value is None:
        return error.message
    shown = str(error.value)
    text = error.message.removeprefix(f"{error.field}: ")
    return text.removeprefix(f"'{shown}' ").removeprefix(f"'{shown[:77]}...' ")


def _convert(cells: Sequence[str], target: str, reading: Reading, notes: _Notes) -> list[Any]:
    """None: nothing is given. Every different value is converted once."""
    convert_cell = _converter(target, reading)
    known: dict[str, Any] = dict.fromkeys(cells)
    blank = known.pop("", UNSET) is not UNSET
    refused: dict[str, Invalid] = {}
    for cell in known:
        try:
            known[cell] = convert_cell(cell)
        except Invalid as error:
            refused[cell] = error
    if blank:
        known[""] = _blank(target, reading)
    if refused:
        for number, cell in enumerate(cells):
            if cell in refused:
                notes.refuse(number, cell, refused[cell])
    return list(map(known.__getitem__, cells))


def _blank(target: str, reading: Reading) -> Any:
    if not reading.import_empty or target in _NEVER_CLEARED:
        return None
    return _TAKE_AWAY if target.startswith(FIELD) else CLEAR


class _TakeAway:
    """Stands for the null that takes an additional field away."""


_TAKE_AWAY: Final = _TakeAway()


def _converter(target: str, reading: Reading) -> Converter:
    if target.startswith(FIELD):
        return _field_converter(reading.fields[target.removeprefix(FIELD)], reading)
    return _CONVERTERS[target]


def _field_converter(field: Field, reading: Reading) -> Converter:
    def of_field(cell: str) -> Any:
        return convert(field, _written(field, cell, reading), reading.zone)

    return of_field


def _written(field: Field, cell: str, reading: Reading) -> str:
    """The cell in a form of the wire, where it is one of this file's forms."""
    if field.type == "date":
        day = read_date(cell, reading.dates)
        if day is None:
            raise Invalid(f"is not a date{_FORMS[reading.dates]}")
        return day.isoformat()
    if field.type == "datetime":
        moment = read_moment(cell, reading.dates, reading.zone)
        if moment is None:
            raise Invalid(f"is not a date{_FORMS[reading.dates]}, with or without a time")
        return wire_minutes(moment, reading.zone)
    if field.type in ("number", "decimal"):
        return read_number(cell, reading.decimal_sign)
    return cell


_FORMS: Final = {
    "auto": " like 2025-03-08, 08.03.2025 or 08/03/2025",
    "dmy": " with day, month and year",
    "mdy": " with month, day and year",
    "ymd": " with year, month and day",
}


def _text_of(member: str, limit: int) -> Converter:
    def of_text(cell: str) -> str | None:
        return cell if cell.isprintable() and len(cell) <= limit else to_text(member, cell, limit=limit)

    return of_text


_CONVERTERS: Final[Mapping[str, Converter]] = {
    "email": lambda cell: contacts.email("email", cell),
    "phone": lambda cell: contacts.phone("phone", cell),
    "id": lambda cell: to_id("id", cell),
    "external_id": _text_of("external_id", ID_LENGTH),
    "contact_key": _text_of("contact_key", ID_LENGTH),
    "first_name": lambda cell: contacts.first_name("first_name", cell),
    "last_name": lambda cell: contacts.last_name("last_name", cell),
    "language": lambda cell: contacts.language("language", cell),
    "time_zone": lambda cell: contacts.time_zone("time_zone", cell),
    **{name: _text_of(name, ADDRESS_LENGTH) for name in ("region", "town", "street", "postcode")},
}


def _refuse_keyless(
    block: Block,
    reading: Reading,
    values: Mapping[str, Sequence[Any]],
    remarks: list[Remark],
    refused: set[int],
) -> None:
    keys = [values[key] for key in reading.keys if key in values]
    if all(None in column for column in keys):
        for number, row in enumerate(zip(*keys, strict=True)):
            if number not in refused and not any(value is not None for value in row):
                refused.add(number)
                rule = f"has no value of {' or '.join(reading.keys)}"
                remarks.append(Remark(block.lines[number], "error", None, None, rule))


def _without_values_of_refused(remarks: Sequence[Remark], lines: set[int]) -> list[Remark]:
    """A refused row is told once: what else is wrong with it is no value that was left out."""
    return [one for one in remarks if one.level == "error" or one.line not in lines]


def _contacts(values: Mapping[str, Sequence[Any]], size: int) -> list[ContactRow]:
    nothing: list[Any] = [None] * size
    columns = [values.get(name, nothing) for name in TEXT_COLUMNS]
    spellings = nothing
    if "email" in values:
        pairs = [pair or (None, None) for pair in values["email"]]
        columns[TEXT_COLUMNS.index("email")] = [normal for normal, _ in pairs]
        spellings = [spelling for _, spelling in pairs]
    rows = list(map(ContactRow, *columns, spellings))
    for name, column in values.items():
        if name.startswith(FIELD):
            _put_field(rows, name.removeprefix(FIELD), column)
        elif name == "id":
            for row, value in zip(rows, column, strict=True):
                row.contact_id = value
    return rows


def _put_field(rows: Sequence[ContactRow], key: str, column: Sequence[Any]) -> None:
    for row, value in zip(rows, column, strict=True):
        if value is not None:
            fields = cast(dict[str, Any], row.fields)  # each row was made with its own
            fields[key] = None if value is _TAKE_AWAY else value
