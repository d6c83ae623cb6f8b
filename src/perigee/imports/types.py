"""Types of imports: what is read from a file, what a file's columns mean, what became of its rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from perigee.errors import Invalid

Level = Literal["error", "warning", "skipped"]
"""error: the row was not saved; warning: one value was not; skipped: the row was right, but not wanted."""

ValueType = Literal["text", "email", "phone", "number", "decimal", "date", "datetime"]
DateOrder = Literal["auto", "dmy", "mdy", "ymd"]
"""auto: `yyyy-MM-dd`, `dd/MM/yyyy`, `dd.MM.yyyy` and `dd.MM.yy`, with or without a time of day."""
DecimalSign = Literal["auto", ".", ","]

Row = tuple[int, list[str] | Invalid]
"""Number of the line on which the row ends (from 1), and its cells as text, or why it cannot be read."""


class Remark(NamedTuple):
    """What is to be said about a row, or about one value of it. `column`: place from 0; None: the row."""

    line: int
    level: Level
    column: int | None
    value: str | None
    rule: str
    subject: int | None = None
    """Id of the contact whom the row is about, where it is known: erasing a person takes the value away."""


class Block(NamedTuple):
    """Rows that are applied in one transaction. `position` and `length` count the file's rows, bad ones too."""

    position: int
    length: int
    lines: Sequence[int]
    rows: Sequence[Sequence[str]]
    remarks: Sequence[Remark]
    """Rows that cannot be read."""


class Cleaned(NamedTuple):
    """A block whose values are in their stored forms; `items` is what the kind makes of `lines`."""

    position: int
    length: int
    lines: Sequence[int]
    items: Sequence[Any]
    remarks: Sequence[Remark]


class Applied(NamedTuple):
    """What one block came to. `ids`: contacts (orders …) that it touched, so that repeats are known as such."""

    created: int = 0
    updated: int = 0
    duplicates: int = 0
    skipped: int = 0
    remarks: Sequence[Remark] = ()
    """All that is kept of the block, those of `Cleaned` too."""
    ids: Sequence[int] = ()


class Target(msgspec.Struct, frozen=True):
    """What a column can be mapped to. `type` decides how its values are read."""

    name: str
    title: str
    type: ValueType = "text"
    aliases: Sequence[str] = []
    """Headings that mean this, in any case and spacing."""


class Format(msgspec.Struct, frozen=True):
    """How a file is written. `encoding`, `separator` and `quote` are of text files alone."""

    kind: Literal["csv", "xlsx", "jsonl"]
    encoding: str = "utf-8"
    separator: str = ","
    quote: str = '"'
    has_headings: bool = True
    """The first line holds headings. The members of JSON Lines are headings without a line."""
    headings: list[str] = []
    """In the order of the columns; empty texts where there are none."""


class Column(msgspec.Struct):
    """A column as it was recognised. `target`: what it seems to mean, absent for nothing."""

    column: int
    heading: str
    type: ValueType
    target: str | UnsetType = UNSET
    samples: list[str] = []


class Mapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`column`: its place from 0, or its heading. Columns that are not mapped are ignored."""

    column: int | str
    target: str


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the columns of a file are read. Without `columns`: as they were recognised."""

    columns: list[Mapped] = []
    has_headings: bool | None = None
    """The first line is ignored; null: as it was recognised."""
    import_empty: bool = False
    """Blank cells take stored values away; else they change nothing."""
    dates: DateOrder = "auto"
    decimal_sign: DecimalSign = "auto"
    options: dict[str, Any] = {}
    """Of the kind of import."""


class Counts(msgspec.Struct):
    """`done` of `total` rows; of these created, updated, duplicates, skipped and errors, which add up to it."""

    total: int
    done: int
    created: int
    updated: int
    duplicates: int
    skipped: int
    errors: int
    warnings: int
    """Values that were not saved."""


class Import(NamedTuple):
    """An import as it is stored."""

    import_id: int
    kind: str
    name: str
    status: str
    size: int
    found: Format | None
    plan: Plan | None
    counts: Counts
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    reason: str | None
    has_file: bool
