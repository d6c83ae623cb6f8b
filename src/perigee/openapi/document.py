"""The OpenAPI 3.1 document of every declared method. Pure: made from the declarations alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from perigee import __version__
from perigee.accounts.rights import ACCESS, Right
from perigee.http.operation import Operation
from perigee.openapi import answers
from perigee.openapi.schemas import Schemas
from perigee.openapi.tags import describe, tag_of

_PARAMETER = re.compile(r"\{(\w+):(\w+)\}")
_PATH_KINDS: dict[str, dict[str, Any]] = {
    "int": {"type": "integer", "format": "int64", "minimum": 0},
    "str": {"type": "string", "minLength": 1, "pattern": "^[^/]+$"},
    "path": {"type": "string", "minLength": 1},
    "uuid": {"type": "string", "format": "uuid"},
}

INTRODUCTION = """\
The methods under `/api/v1`, `/api/v2` and `/api/v3` are those of the eSputnik (Yespo) API: an existing client works
after its base URL is changed. `/api/v4` is our own.

- Credentials: HTTP Basic with any user name and an API key as the password, or a Bearer token.
- A trailing slash changes nothing. Unknown members and query parameters of the old methods are ignored; numbers may
  come as text, one object may stand where a list is meant.
- Errors of `/api/v1` to `/api/v3` are an object with `status`, `error`, `message`; those of `/api/v4` are problem
  documents (RFC 9457). A wrong HTTP method on a known path is 405.
- Over a limit of calls: 429 with `Retry-After` in seconds.
"""


def document(operations: Sequence[Operation]) -> dict[str, Any]:
    """The whole file as JSON values. `operations` in the order in which they are to be shown."""
    schemas = Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(path_of(operation), {})[operation.method.lower()] = _method(operation, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Perigee", "version": __version__, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "tags": describe(operations),
        "security": [{"basic": []}, {"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.components | answers.ERROR_SCHEMAS,
            "responses": answers.refusal_components(operations),
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Any user name; the password is an API key.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `POST /api/v1/auth/token`, for the event methods, or an OAuth 2.0 access token.",
                },
            },
        },
    }


def path_of(operation: Operation) -> str:
    """The path after the host, parameters in OpenAPI's form: `/api/v1/contact/{contact_id}`."""
    return operation.face.prefix + _PARAMETER.sub(r"{\1}", operation.path)


def path_parameters(operation: Operation) -> list[tuple[str, str]]:
    """(name, kind) of each: kinds are those of Litestar, `int`, `str` …"""
    return _PARAMETER.findall(operation.path)


def _method(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "operationId": operation.operation_id,
        "tags": [tag_of(operation)],
        "summary": operation.summary,
        "description": _description(operation),
        "parameters": _parameters(operation, schemas),
        "responses": answers.responses(operation, schemas),
    }
    if operation.right is Right.PUBLIC:
        shown["security"] = []
    if operation.body is not None:
        shown["requestBody"] = _body(operation, schemas)
    return {key: value for key, value in shown.items() if value or key in ("responses", "security")}


def _description(operation: Operation) -> str:
    more = (operation.handler.__doc__ or "").strip().partition("\n")[2]
    parts = [" ".join(line.strip() for line in part.splitlines()) for part in more.split("\n\n")]
    if operation.section:
        parts.append(f"Contract section {operation.section}.")
    levels = [level for level, rights in ACCESS.items() if operation.right in rights]
    if operation.right is not Right.PUBLIC:
        parts.append("Keys with the access " + ", ".join(f"`{level}`" for level in levels) + ".")
    return "\n\n".join(part for part in parts if part)


def _parameters(operation: Operation, schemas: Schemas) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _PATH_KINDS.get(kind, {"type": "string"})}
        for name, kind in path_parameters(operation)
    ]
    for query in operation.query:
        schema = dict(schemas.of(query.kind))
        if query.default is not None:
            schema["default"] = query.default
        one = {"name": query.name, "in": "query", "required": query.required, "schema": schema}
        if query.about:
            one["description"] = query.about[:1].upper() + query.about[1:] + "."
        if query.example is not None:
            one["example"] = query.example
        if schema.get("type") == "array":
            one |= {"style": "form", "explode": False}
        found.append(one)
    if operation.face.idempotency_keys and operation.method == "POST":
        found.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key with the same request is done once; the first answer comes again.",
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,200}$"},
            }
        )
    return found


def _body(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schemas.of(operation.body)}
    if operation.example is not None:
        content["example"] = operation.example
    return {
        "required": operation.method != "DELETE" and not schemas.all_optional(operation.body),
        "content": {"application/json": content},
    }
