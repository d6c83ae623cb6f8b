"""Our JavaScript files: hand-written, small, served as they are with their settings in front."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Any

from litestar import Response

from perigee.http.body import AnyRequest
from perigee.lib import json_edge

CACHE = "public, max-age=300"
"""A changed setting reaches pages within minutes; an unchanged file costs a question and no answer."""


@cache
def asset(package: str, name: str) -> str:
    """A file of the package's folder `assets`."""
    return resources.files(package).joinpath("assets", name).read_text("utf-8")


def literal(value: object) -> str:
    """A JavaScript value that cannot end a script element. Pure."""
    return json_edge.encode(value).decode().replace("<", "\\u003c")


def with_settings(source: str, settings: dict[str, Any]) -> str:
    """The file, called with its settings: it is one function expression. Pure."""
    return f"({source.strip().rstrip(';')})({literal(settings)});\n"


def answer(request: AnyRequest, text: str, *, headers: dict[str, str] | None = None) -> Response[Any]:
    """200 with the file, or 304 when the browser has it."""
    body = text.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = request.headers.get("if-none-match", "")
    fresh = tag in known or known.strip() == "*"
    return Response(
        content=b"" if fresh else body,
        status_code=304 if fresh else 200,
        media_type="text/javascript",
        headers={
            "ETag": tag,
            "Cache-Control": CACHE,
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            **(headers or {}),
        },
    )
