"""Rows of a file as orders: a row for each order, or one for each item. Pure.

An order goes through the rules of the wire (`orders.clean`): what it refuses, a file's order is refused for too, with
every row of it. Of the rows of one order the first value that is not blank counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from perigee.errors import Invalid
from perigee.imports.orders.targets import AMOUNTS, ITEM_MEMBERS, MEMBERS
from perigee.imports.people.clean import rule_of
from perigee.imports.reader.detect import fold
from perigee.imports.types import Block, Cleaned, DateOrder, DecimalSign, Remark
from perigee.imports.values import read_moment, read_number
from perigee.lib import json_edge
from perigee.lib.csv_out import unguard
from perigee.lib.scalars import to_decimal
from perigee.orders.clean import clean
from perigee.orders.types import CleanOrder


@dataclass(frozen=True, slots=True)
class Reading:
    """How the columns of a file are read. `columns`: targets by place. `words`: statuses by folded word of the file.
    `given`: members of the wire's order that hold where a row says nothing."""

    columns: Mapping[int, str]
    words: Mapping[str, str]
    given: Mapping[str, Any]
    zone: tzinfo
    dates: DateOrder = "auto"
    decimal_sign: DecimalSign = "auto"

    @property
    def has_items(self) -> bool:
        """A row is an item."""
        return "item_id" in self.columns.values()


class Draft(NamedTuple):
    """An order of the file, and the lines that made it."""

    order: CleanOrder
    lines: list[int]


class _Rows(NamedTuple):
    lines: list[int]
    cells: list[dict[str, str]]
    """By target; without the blank ones."""


def clean_block(block: Block, reading: Reading) -> Cleaned:
    """`items` are drafts; `lines` those of the orders that are kept."""
    remarks = list(block.remarks)
    drafts: list[Draft] = []
    for rows in _orders(block, reading):
        try:
            drafts.append(Draft(clean(_wire(rows.cells, reading), reading.zone), rows.lines))
        except Invalid as error:
            remarks += _refused(rows, error, reading)
    kept = sorted(line for draft in drafts for line in draft.lines)
    return Cleaned(block.position, block.length, kept, drafts, remarks)


def _orders(block: Block, reading: Reading) -> list[_Rows]:
    """The rows of each order. Without items, and without an order id, every row is an order of its own."""
    found: list[_Rows] = []
    of: dict[str, _Rows] = {}
    for line, row in zip(block.lines, block.rows, strict=True):
        cells = _cells(row, reading)
        key = cells.get("order_id") if reading.has_items else None
        rows = of.get(key) if key is not None else None
        if rows is None:
            rows = _Rows([], [])
            found.append(rows)
            if key is not None:
                of[key] = rows
        rows.lines.append(line)
        rows.cells.append(cells)
    return found


def _cells(row: Sequence[str], reading: Reading) -> dict[str, str]:
    return {
        target: text
        for place, target in reading.columns.items()
        if place < len(row) and (text := unguard(row[place]).strip())
    }


def _wire(rows: Sequence[dict[str, str]], reading: Reading) -> dict[str, Any]:
    """The wire's order. Raises Invalid."""
    cells: dict[str, str] = {}
    for row in reversed(rows):
        cells |= row
    order = dict(reading.given) | {
        member: _value(target, cells[target], reading)
        for target, member in MEMBERS.items()
        if target in cells
    }
    if reading.has_items:
        items = [_item(row, reading) for row in rows if "item_id" in row]
        if items:
            order["items"] = items
        if "totalCost" not in order:
            order["totalCost"] = _sum(items)
    return order


def _value(target: str, text: str, reading: Reading) -> Any:
    if target in AMOUNTS:
        return read_number(text, reading.decimal_sign)
    if target == "date":
        moment = read_moment(text, reading.dates, reading.zone)
        if moment is None:
            raise Invalid.of(
                "date", text, "is not a date like 2025-03-08 or 08.03.2025, with or without a time"
            )
        return moment.isoformat()
    if target == "status":
        return reading.words.get(fold(text), text)
    if target in ("items", "additional_info"):
        return _json(target, text, list if target == "items" else dict)
    return text


def _json(target: str, text: str, kind: type) -> Any:
    try:
        value = json_edge.decode(text.encode())
    except Invalid:
        value = None
    if not isinstance(value, kind):
        raise Invalid.of(MEMBERS[target], text, f"is no JSON {'list' if kind is list else 'object'}")
    return value


def _item(row: Mapping[str, str], reading: Reading) -> dict[str, Any]:
    item = {
        member: _value(target, row[target], reading)
        for target, member in ITEM_MEMBERS.items()
        if target in row
    }
    return {"quantity": "1", **item} if "item_quantity" not in reading.columns.values() else item


def _sum(items: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """Of prices by quantities; None where a price is missing. Raises Invalid."""
    total = Decimal(0)
    for item in items:
        cost = to_decimal("items.cost", item.get("cost"), digits=14, places=4)
        quantity = to_decimal("items.quantity", item.get("quantity"), digits=14, places=4)
        if cost is None or quantity is None:
            return None
        total += cost * quantity
    return round(total, 4) if items else None


def _refused(rows: _Rows, error: Invalid, reading: Reading) -> list[Remark]:
    """One for each row, so that the counts add up; the first says what is wrong."""
    field = error.field or ""
    target = next((name for name, member in MEMBERS.items() if member == field), None)
    if field.startswith("items"):
        target = next(
            (name for name, member in ITEM_MEMBERS.items() if field.endswith(f".{member}")), "items"
        )
    column = next((place for place, name in reading.columns.items() if name == target), None)
    value = None if error.value is None else str(error.value)
    rule = rule_of(error) if column is not None else error.message
    first, *others = rows.lines
    return [
        Remark(first, "error", column, value, rule),
        *(Remark(line, "error", None, None, f"the order is refused, see line {first}") for line in others),
    ]
