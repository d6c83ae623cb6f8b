"""The error body that serves all four ways in which clients read it (contract section 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from litestar import Response

from perigee import errors
from perigee.http import failure
from perigee.http.body import TooSlow, UnsupportedMedia
from perigee.http.idempotency import KeyReused
from perigee.lib import json_edge
from perigee.lib.dates import rfc3339

TOO_WIDE = 419
"""No status of HTTP; the contract has it for a period that is too long (4, 8.4)."""

STATUS: dict[type[errors.PerigeeError], int] = {
    errors.Invalid: 400,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    TooSlow: 408,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    UnsupportedMedia: 415,
    KeyReused: 422,
    errors.Limited: 429,
    errors.Unavailable: 503,
}


def status_of(error: errors.PerigeeError) -> int:
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)


def headers_of(error: errors.PerigeeError) -> dict[str, str]:
    """Retry-After where waiting helps, WWW-Authenticate where credentials are missing."""
    if isinstance(error, (errors.Limited, errors.Unavailable)):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, errors.Unauthorized):
        return {"WWW-Authenticate": 'Basic realm="Perigee", charset="UTF-8"'}
    return {}


def render(error: Exception, path: str) -> Response[Any]:
    found = failure.known(error)
    if found is None:
        failure_id = failure.record(error, path)
        return body(500, f"Internal error, its id in the log is {failure_id}", path)
    extra: dict[str, Any] = {}
    if isinstance(found, errors.Invalid) and found.field:
        extra["field"] = found.field
    status = TOO_WIDE if isinstance(found, errors.TooWide) else status_of(found)
    return body(status, found.message, path, headers=headers_of(found), extra=extra)


def body(
    status: int,
    message: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
) -> Response[Any]:
    return Response(
        content=json_edge.encode({**members(status, message, path), **(extra or {})}),
        status_code=status,
        headers=headers or {},
        media_type="application/json;charset=UTF-8",
    )


def members(status: int, message: str, path: str) -> dict[str, Any]:
    """The members that every error body has."""
    return {
        "timestamp": rfc3339(datetime.now(UTC)),
        "status": status,
        "error": "Period Too Long" if status == TOO_WIDE else HTTPStatus(status).phrase,
        "message": message,
        "path": path,
    }
