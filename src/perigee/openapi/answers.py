"""What a method answers, per status: its own bodies, and the refusals in its face's form (contract 2.3, 2.4, 4)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, get_origin

from perigee.accounts.rights import Right
from perigee.http.operation import Csv, Empty, Operation, PlainText, Sentence
from perigee.openapi.schemas import REF, Schemas, by_status, parts

JSON = "application/json"
PROBLEM = "application/problem+json"

ERROR_SCHEMAS: dict[str, Any] = {
    "Error": {
        "title": "Error",
        "description": "A refusal of the old methods.",
        "type": "object",
        "properties": {
            "timestamp": {"type": "string", "format": "date-time"},
            "status": {"type": "integer"},
            "error": {"type": "string"},
            "message": {"type": "string"},
            "path": {"type": "string"},
            "field": {"type": "string", "description": "The member or parameter that breaks a rule."},
        },
        "required": ["timestamp", "status", "error", "message", "path"],
    },
    "Problem": {
        "title": "Problem",
        "description": "A refusal of our own methods (RFC 9457). `code` is stable.",
        "type": "object",
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "detail": {"type": "string"},
            "instance": {"type": "string"},
            "field": {"type": "string", "description": "The member or parameter that breaks a rule."},
        },
        "required": ["type", "title", "status", "code", "detail", "instance"],
    },
}

WHY = {
    400: "A value breaks a rule, or the body is not JSON.",
    401: "No or wrong credentials.",
    403: "The key does not have this right.",
    404: "There is no such thing in this organisation.",
    408: "The body did not arrive in time.",
    409: "The state forbids it, or the same request was just made.",
    413: "The body is too large.",
    415: "The body is not labelled JSON.",
    419: "The period is too long.",
    422: "The Idempotency-Key came with another request before.",
    429: "Too many calls.",
    503: "A part that is needed is away for the moment.",
}
WAIT = {
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
CHALLENGE = {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}}
TOTAL = {
    "TotalCount": {
        "description": "Rows of all pages together.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}


def refusals(operation: Operation) -> list[int]:
    """The statuses with which the method may refuse."""
    found = {400, 429, 503, *operation.refusals}
    if operation.right is not Right.PUBLIC:
        found |= {401, 403}
    if "{" in operation.path:
        found.add(404)
    if operation.body is not None:
        found |= {408, 413, 415}
    if operation.face.idempotency_keys and operation.method == "POST":
        found |= {408, 409, 413, 422}
    return sorted(found)


def refusal_components(operations: Sequence[Operation]) -> dict[str, Any]:
    """Named responses, one per face and status."""
    found = {}
    for operation in operations:
        for status in refusals(operation):
            found[_name(operation, status)] = _refusal(operation, status)
    return dict(sorted(found.items()))


def responses(operation: Operation, schemas: Schemas) -> dict[str, Any]:
    shown = {
        str(status): {"$ref": f"#/components/responses/{_name(operation, status)}"}
        for status in refusals(operation)
    }
    for status, answer in _own(operation).items():
        own = _answer(operation, answer, schemas)
        if status >= 400:  # beside the usual form: a body of its own (contract 16, "Validation")
            own = _either(own, operation)
        shown[str(status)] = own
    return dict(sorted(shown.items()))


def _own(operation: Operation) -> dict[int, Any]:
    """Status → declared answer. Our own API: 201 for what is made, 204 for nothing, as the handler's type says."""
    if isinstance(operation.answer, dict) or not operation.face.idempotency_keys:
        return by_status(operation.answer, 200)
    returned = str(operation.handler.__annotations__.get("return", ""))
    if operation.answer is None:
        return {204: Empty}
    if "Created" not in returned:
        return {200: operation.answer}
    return (
        {201: operation.answer} if returned == "Created" else {200: operation.answer, 201: operation.answer}
    )


def _answer(operation: Operation, answer: Any, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any] = {}
    lines = []
    for part in parts(answer):
        if part is None or part is Empty:
            lines.append("No body.")
        elif part is Sentence:
            # No schema: the body is a bare sentence, which no JSON schema can describe.
            content[JSON] = {}
            lines.append("A bare sentence, not quoted, labelled JSON.")
        elif part is PlainText:
            content["text/plain"] = {"schema": {"type": "string"}}
            lines.append("Plain text.")
        elif part is Csv:
            content["text/csv"] = {"schema": {"type": "string"}}
            lines.append("A CSV file.")
        else:
            content[JSON] = {"schema": schemas.of(part)}
            lines.append("Done.")
    if operation.answer_example is not None:
        for shown in content.values():
            shown["example"] = operation.answer_example
    own: dict[str, Any] = {"description": " Or: ".join(lines)}
    if len(lines) > 1:
        own["x-may-be-empty"] = True
    if content:
        own["content"] = content
    if _is_listing(operation, answer):
        own["headers"] = TOTAL
    return own


def _is_listing(operation: Operation, answer: Any) -> bool:
    """A list of the old wire that its handler wraps itself goes out through `face.listing`; not one read on by `offset`."""
    returned = str(operation.handler.__annotations__.get("return", ""))
    read_on = any(query.name == "offset" for query in operation.query)
    return get_origin(answer) is list and returned == "Answer" and not read_on


def _either(own: dict[str, Any], operation: Operation) -> dict[str, Any]:
    usual = {"$ref": REF + _form(operation)}
    content = own.setdefault("content", {})
    given = content.get(_media(operation), {}).get("schema")
    content[_media(operation)] = {"schema": {"anyOf": [given, usual]} if given else usual}
    return own


def _refusal(operation: Operation, status: int) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "description": WHY.get(status) or HTTPStatus(status).phrase,
        "content": {_media(operation): {"schema": {"$ref": REF + _form(operation)}}},
    }
    if status in (429, 503):
        shown["headers"] = WAIT
    if status == 401:
        shown["headers"] = CHALLENGE
    return shown


def _form(operation: Operation) -> str:
    return "Problem" if operation.face.idempotency_keys else "Error"


def _media(operation: Operation) -> str:
    return PROBLEM if operation.face.idempotency_keys else JSON


def _name(operation: Operation, status: int) -> str:
    return f"{_form(operation)}{status}"
