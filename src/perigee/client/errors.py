"""What a call can end in, other than its answer.

ClientError
├── ApiError       the server answered with a status of 400 or above
└── Unreachable    there was no answer, or none that a Perigee server gives
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec


class ClientError(Exception):
    """Base; the text is one line for people."""


class Unreachable(ClientError):
    pass


class ApiError(ClientError):
    """`code` is for programs, `message` for people, `field` the member or parameter that broke a rule."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field

    @classmethod
    def of(cls, status: int, body: bytes) -> ApiError:
        """Reads all three forms of a refusal: a problem of `/api/v4` (RFC 9457), the old wire's object, bare text."""
        try:
            told: Any = msgspec.json.decode(body)
        except msgspec.DecodeError:
            told = body.decode("utf-8", "replace").strip()
        members = told if isinstance(told, dict) else {}
        text = told if isinstance(told, str) else ""
        message = str(members.get("detail") or members.get("message") or text or _phrase(status))
        field = members.get("field")
        return cls(
            status,
            str(members.get("code") or _phrase(status).lower().replace(" ", "_")),
            message,
            field if isinstance(field, str) else None,
        )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"HTTP status {status}"
