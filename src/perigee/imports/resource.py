"""Imports as our own API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from perigee.imports.schemes import Scheme
from perigee.imports.start import Looked, Preview
from perigee.imports.types import Column, Counts, Format, Import, Level, Plan, Target

Status = Literal["uploading", "ready", "queued", "running", "finished", "cancelled", "failed"]


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


def shown(given: Import, now: datetime) -> ImportFile:
    return ImportFile(**_members(given, now))


def detail(looked: Looked, scheme: Scheme | None, now: datetime) -> ImportDetail:
    return ImportDetail(
        **_members(looked.given, now),
        columns=looked.columns,
        targets=looked.targets if looked.columns else [],
        scheme=UNSET if scheme is None else scheme,
    )


def _members(given: Import, now: datetime) -> dict[str, Any]:
    return {
        "import_id": given.import_id,
        "kind": given.kind,
        "name": given.name,
        "status": given.status,
        "size": given.size,
        "progress": Progress(**msgspec.structs.asdict(given.counts), rate=_rate(given, now)),
        "created_at": given.created_at,
        "started_at": given.started_at or UNSET,
        "finished_at": given.finished_at or UNSET,
        "reason": given.reason or UNSET,
        "format": UNSET if given.found is None else given.found,
        "plan": UNSET if given.plan is None else given.plan,
    }


def _rate(given: Import, now: datetime) -> float | UnsetType:
    if given.started_at is None or not given.counts.done:
        return UNSET
    seconds = ((given.finished_at or now) - given.started_at).total_seconds()
    return round(given.counts.done / seconds, 1) if seconds > 0 else UNSET


def previewed(found: Preview) -> PreviewAnswer:
    problems: dict[int, list[CellProblem]] = {}
    for one in found.cleaned.remarks:
        column = UNSET if one.column is None else one.column
        problems.setdefault(one.line, []).append(CellProblem(one.level, one.rule, column))
    cells = dict(zip(found.block.lines, found.block.rows, strict=True))
    kept = set(found.cleaned.lines)
    return PreviewAnswer(
        found.plan,
        [
            PreviewRow(line, list(cells.get(line, ())), problems.get(line, []), line in kept)
            for line in sorted({*cells, *problems})
        ],
    )
