"""The page docs/reference/esputnik-compatibility.md: each operation of the contract, and how it is served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from perigee.http.operation import Operation
from perigee.openapi.contract import OPERATIONS, Asked, Kind, shape
from perigee.settings import Settings

_NO_PLACE = "the parameter `ip` adds no country, region or city: no database of addresses is shipped"
DEVIATIONS: dict[str, str] = {
    "GET /api/v1/addressbooks": "fields of the type `tags` cannot be made; a list of checkboxes holds several values",
    "POST /api/v1/event": _NO_PLACE,
    "POST /api/v2/event": _NO_PLACE,
    "POST /api/v3/event": _NO_PLACE,
    "GET /api/v1/event": "always 404: no event is sent again (the contract allows this answer)",
}
"""`METHOD path` of the contract → where the answer differs from the hosted service, and why."""


def served(operations: Iterable[Operation]) -> set[tuple[str, str]]:
    """(method, path with nameless parameters) of everything that has a route, the pages outside `/api` too."""
    routes = {(one.method, shape(one.face.prefix + one.path)) for one in operations}
    return routes | set(_pages())


def missing(operations: Sequence[Operation]) -> list[Asked]:
    there = served(operations)
    return [asked for asked in OPERATIONS if asked.shape not in there]


def page(operations: Sequence[Operation]) -> str:
    """The page as Markdown."""
    there = served(operations)
    lines = [_HEAD]
    counts = Counter(asked.kind for asked in OPERATIONS if asked.shape in there)
    asked_for = Counter(asked.kind for asked in OPERATIONS)
    lines.append("| Known from | Operations | Served |\n|---|---|---|\n")
    for kind, name in _KINDS.items():
        lines.append(f"| {name} (**{kind}**) | {asked_for[kind]} | {counts[kind]} |\n")
    lines.append(f"| **Total** | {asked_for.total()} | {counts.total()} |\n\n")
    lines.append("| Section | Operation | Known from | State |\n|---|---|---|---|\n")
    for asked in OPERATIONS:
        lines.append(
            f"| {asked.section} | `{asked.method} {asked.path}` | {asked.kind} | {_state(asked, there)} |\n"
        )
    return "".join(lines)


def _state(asked: Asked, there: set[tuple[str, str]]) -> str:
    if asked.shape not in there:
        return "**not yet**"
    reason = DEVIATIONS.get(f"{asked.method} {asked.path}")
    return f"served; {reason}" if reason else "served"


def _pages() -> Iterable[tuple[str, str]]:
    """The routes outside the faces. They are made with a context whose database nobody opens."""
    from perigee.http.app import build_context
    from perigee.http.pages import PAGES

    context = build_context(Settings(home=Path(), secret_key="-"), "")  # noqa: S106
    for make in PAGES:
        handler = make(context)
        if isinstance(handler, HTTPRouteHandler):
            for path in handler.paths:
                yield from ((str(method), shape(path)) for method in handler.http_methods)


_KINDS: dict[Kind, str] = {
    "S": "the official OpenAPI file",
    "G": "guides and reference pages",
    "C": "clients and connectors only",
}

_HEAD = """\
# What of the eSputnik API is served

Written by `./perigee openapi --write`; a test keeps it current and fails while an operation is missing.

Paths without a version (`/api/contact`) are `v1`; a trailing slash changes nothing. The machine-readable description of
every method, ours under `/api/v4` included, is [openapi.json](openapi.json); a running server has it at
`/api/openapi.json`, with a page to try it out at `/api/docs`.

"""
