"""Imports as our own API, and the client, show them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from perigee.imports.types import Column, Counts, Format, Level, Plan, Target

Status = Literal["uploading", "ready", "queued", "running", "finished", "cancelled", "failed"]


class Scheme(msgspec.Struct):
    """`plan`: as an import's, its columns by headings."""

    scheme_id: int
    kind: str
    name: str
    plan: Plan


class Progress(Counts):
    rate: float | UnsetType = UNSET
    """Rows a second, while the import runs and when it has finished."""


class ImportFile(msgspec.Struct):
    """`reason`: why it failed or was cancelled. `plan`: with what it was started."""

    import_id: int
    kind: str
    name: str
    status: Status
    size: int
    """Bytes of the file."""
    progress: Progress
    created_at: datetime
    started_at: datetime | UnsetType = UNSET
    finished_at: datetime | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    format: Format | UnsetType = UNSET
    plan: Plan | UnsetType = UNSET


class ImportDetail(ImportFile):
    """With what was recognised, as long as the file is kept. `scheme`: the saved one whose headings are all there."""

    columns: list[Column] = []
    targets: list[Target] = []
    """What columns can be mapped to."""
    scheme: Scheme | UnsetType = UNSET


class CellProblem(msgspec.Struct):
    """`column`: its place from 0; absent: the row as a whole."""

    level: Level
    rule: str
    column: int | UnsetType = UNSET


class PreviewRow(msgspec.Struct):
    line: int
    cells: list[str]
    problems: list[CellProblem]
    kept: bool


class PreviewAnswer(msgspec.Struct):
    """`plan`: the one that was tried, every column by its place."""

    plan: Plan
    rows: list[PreviewRow]
