"""From what a caller says about columns to their places in a file. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import UNSET

from perigee.errors import Invalid
from perigee.imports.reader.detect import fold
from perigee.imports.types import Column, Format, Mapped, Plan, Target
from perigee.lib.text import clean_json


def cleaned(plan: Plan) -> Plan:
    """Without signs that no stored text has, in its options too."""
    return msgspec.convert(clean_json(msgspec.to_builtins(plan)), Plan)


def place_columns(plan: Plan, found: Format, columns: Sequence[Column], targets: Sequence[Target]) -> Plan:
    """The plan with every column by its place, and `has_headings` said. Raises Invalid."""
    given = plan.columns or [
        Mapped(column.column, column.target) for column in columns if column.target is not UNSET
    ]
    headings = [fold(heading) for heading in found.headings]
    known = {target.name for target in targets}
    placed: dict[int, str] = {}
    for number, one in enumerate(given):
        member = f"columns[{number}]"
        place = _place(one.column, headings, f"{member}.column")
        if one.target not in known:
            raise Invalid.of(f"{member}.target", one.target, "is nothing that a column can be mapped to")
        if place in placed:
            raise Invalid.of(f"{member}.column", one.column, "is mapped twice")
        if one.target in placed.values():
            raise Invalid.of(f"{member}.target", one.target, "has two columns")
        placed[place] = one.target
    has_headings = found.has_headings if plan.has_headings is None else plan.has_headings
    return msgspec.structs.replace(
        plan,
        columns=[Mapped(place, target) for place, target in sorted(placed.items())],
        has_headings=has_headings,
    )


def _place(column: int | str, headings: Sequence[str], member: str) -> int:
    if isinstance(column, int):
        if not 0 <= column < len(headings):
            raise Invalid.of(member, column, f"must be from 0 to {len(headings) - 1}")
        return column
    name = fold(column)
    if not name or name not in headings:
        raise Invalid.of(member, column, "is not a heading of the file")
    return headings.index(name)


def by_headings(plan: Plan, found: Format) -> Plan:
    """A plan whose columns are places, by headings where there are some: it fits other files too."""
    return msgspec.structs.replace(
        plan,
        columns=[
            Mapped(found.headings[one.column] or one.column, one.target)
            if isinstance(one.column, int) and one.column < len(found.headings)
            else one
            for one in plan.columns
        ],
    )


def fits(plan: Plan, found: Format) -> int:
    """Columns of a saved plan that the file has by their headings; 0 unless it has all of them."""
    headings = {fold(heading) for heading in found.headings if heading}
    names = [fold(one.column) for one in plan.columns if isinstance(one.column, str)]
    return len(names) if names and headings.issuperset(names) else 0
