"""From stored imports to what our own API answers. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from perigee.imports.shapes import (
    CellProblem,
    ImportDetail,
    ImportFile,
    PreviewAnswer,
    PreviewRow,
    Progress,
    Scheme,
)
from perigee.imports.start import Looked, Preview
from perigee.imports.types import Import


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
