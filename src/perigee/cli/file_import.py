"""A file brought by a command, whatever its rows are: the upload, the plan, the progress, the report."""

from __future__ import annotations

import csv
import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
from msgspec import UNSET
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from perigee.cli.remote import IN_PART, Server, connected, console, show_json, show_table
from perigee.client import Client
from perigee.client.imports import OVER
from perigee.errors import OperatorError
from perigee.imports.shapes import ImportDetail, PreviewAnswer

_SHOWN = 20
_LOOK_SECONDS = 0.2

Dates = Literal["auto", "dmy", "mdy", "ymd"]
DecimalSign = Literal["auto", ".", ","]


class Line(msgspec.Struct):
    line: int
    level: str
    column: str
    value: str
    rule: str


class Imported(msgspec.Struct):
    """`report`: the file with all that was not saved; None when all was."""

    import_id: int
    progress: Any
    problems: list[Line]
    report: str | None = None


class Wishes(msgspec.Struct, frozen=True):
    """What every kind of import lets the user say; `said` are the kind's own options and switches of the plan."""

    file: Path
    kind: str
    map_to: list[str] | None
    scheme: str | None
    save_scheme: str | None
    preview: bool
    report: Path | None
    said: dict[str, Any]
    noun: tuple[str, str]
    """One, and several, of what is counted."""


def bring(wishes: Wishes, server: Server) -> None:
    """The whole command. Exit code 3 if something was not saved."""
    with connected(server) as client:
        with _opened(wishes.file) as source:
            looked = client.upload_import(source, name=wishes.file.name, kind=wishes.kind)
        plan = dict(wishes.said)
        if wishes.scheme is not None:
            plan["scheme_id"] = _scheme_id(client, wishes.kind, wishes.scheme)
        if wishes.save_scheme is not None:
            plan["save_scheme"] = wishes.save_scheme
        if wishes.map_to:
            plan["columns"] = _columns(looked, wishes.map_to)
        _tell_ignored(looked, plan)
        if wishes.preview:
            tried = client.preview_import(looked.import_id, plan)
            client.cancel_import(looked.import_id)
            show_json(tried) if server.json else _show_preview(tried)
            return
        done = _run(client, looked.import_id, plan, show=not server.json, report=wishes.report)
    show_json(done) if server.json else _show(done, wishes.noun)
    if done.problems:
        raise SystemExit(IN_PART)


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    try:
        if str(file) == "-":
            yield sys.stdin.buffer
            return
        with file.open("rb") as source:
            yield source
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}") from None


def _scheme_id(client: Client, kind: str, name: str) -> int:
    for scheme in client.list_import_schemes(kind=kind):
        if scheme.name == name:
            return scheme.scheme_id
    raise OperatorError(f"there is no scheme '{name}'")


def _columns(looked: ImportDetail, given: list[str]) -> list[dict[str, Any]]:
    """What was recognised, changed by what is given."""
    found = {column.column: column.target for column in looked.columns if column.target is not UNSET}
    for one in given:
        name, equals, target = one.rpartition("=")
        if not equals:
            raise OperatorError(f"--map {one}: is not HEADING=TARGET")
        place = _place(looked, name)
        found = {column: meant for column, meant in found.items() if meant != target and column != place}
        if target != "ignore":
            found[place] = target
    return [{"column": column, "target": target} for column, target in sorted(found.items())]


def _place(looked: ImportDetail, name: str) -> int:
    for column in looked.columns:
        if column.heading.casefold() == name.strip().casefold() != "":
            return column.column
    if name.isdecimal() and 1 <= int(name) <= len(looked.columns):
        return int(name) - 1
    raise OperatorError(f"--map {name}: the file has no such column")


def _tell_ignored(looked: ImportDetail, plan: dict[str, Any]) -> None:
    if "scheme_id" in plan:
        return
    mapped = {one["column"] for one in plan.get("columns", [])} or {
        column.column for column in looked.columns if column.target is not UNSET
    }
    ignored = [
        column.heading or f"column {column.column + 1}"
        for column in looked.columns
        if column.column not in mapped
    ]
    if ignored:
        print(f"perigee: columns without a meaning: {', '.join(ignored)}", file=sys.stderr)


def _run(
    client: Client, import_id: int, plan: dict[str, Any], *, show: bool, report: Path | None
) -> Imported:
    found = client.start_import(import_id, plan)
    columns = (
        TextColumn("Importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show, transient=True) as progress:
        bar = progress.add_task("", total=None, rate="")
        try:
            while found.status not in OVER:
                time.sleep(_LOOK_SECONDS)
                found = client.get_import(import_id)
                rate = "" if found.progress.rate is UNSET else f"{found.progress.rate:,.0f}/s"
                total = found.progress.total or None
                progress.update(bar, completed=found.progress.done, total=total, rate=rate)
        except KeyboardInterrupt:
            client.cancel_import(import_id)
            raise
    if found.status != "finished":
        raise OperatorError(f"the import was {found.status}: {found.reason or 'no reason given'}")
    done = Imported(import_id, msgspec.to_builtins(found.progress), [])
    if found.progress.errors or found.progress.warnings or found.progress.skipped:
        told = client.import_report(import_id)
        done.report = str(_write_report(import_id, told, report))
        lines = csv.DictReader(io.StringIO(told.decode("utf-8-sig")))
        done.problems = [msgspec.convert(line, Line, strict=False) for line in lines]
    return done


def _write_report(import_id: int, told: bytes, path: Path | None) -> Path:
    if path is None:
        with tempfile.NamedTemporaryFile(
            prefix=f"perigee-import-{import_id}-", suffix=".csv", delete=False
        ) as file:
            shutil.copyfileobj(io.BytesIO(told), file)
            return Path(file.name)
    try:
        path.write_bytes(told)
    except OSError as error:
        raise OperatorError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _show(done: Imported, noun: tuple[str, str]) -> None:
    told = done.progress
    saved = told["created"] + told["updated"]
    refused = told["errors"] + told["skipped"]
    one, several = noun
    counted = f"1 {one}" if saved == 1 else f"{saved:,} {several}"
    parts = [f"{counted} imported: {told['created']:,} new, {told['updated']:,} updated"]
    for count, one, several in (
        (refused, "row refused", "rows refused"),
        (told["duplicates"], "repeat", "repeats"),
        (told["warnings"], "value left out", "values left out"),
    ):
        parts += [f"{count:,} {one if count == 1 else several}"] if count else []
    console.print(", ".join(parts))
    for told_of in done.problems[:_SHOWN]:
        where = f"line {told_of.line}" + (f", {told_of.column}" if told_of.column else "")
        console.print(f"  {where}: {told_of.value} {told_of.rule}".replace(":  ", ": "), markup=False)
    if len(done.problems) > _SHOWN:
        console.print(f"  … and {len(done.problems) - _SHOWN} more", markup=False)
    if done.report:
        console.print(f"The report: {done.report}", markup=False)


def _show_preview(tried: PreviewAnswer) -> None:
    width = max((len(row.cells) for row in tried.rows), default=0)
    targets = {one.column: one.target for one in tried.plan.columns}
    columns = ["Line", *(targets.get(place, "(ignored)") for place in range(width)), "Problem"]
    rows: list[list[Any]] = []
    for row in tried.rows:
        cells = row.cells + [""] * (width - len(row.cells))
        problems = "; ".join(one.rule for one in row.problems)
        rows.append([row.line, *cells, problems if row.kept else f"refused: {problems}"])
    show_table([escape(name) for name in columns], rows, empty="The file has no row.")
