"""The OpenAPI file: valid, complete, with examples that the schemas and the server's own decoder accept."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from perigee.errors import PerigeeError
from perigee.http.operation import Operation
from perigee.http.routes import operations
from perigee.lib import json_edge
from perigee.openapi import snapshot
from perigee.openapi.document import document, path_of
from perigee.openapi.schemas import by_status

OPERATIONS = operations()
NAMES = [one.operation_id for one in OPERATIONS]


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return document(OPERATIONS)


def test_the_document_is_valid_openapi(made: dict[str, Any]) -> None:
    errors = [
        f"{list(error.absolute_path)}: {error.message}"
        for error in OpenAPIV31SpecValidator(made).iter_errors()
    ]
    assert errors == []


def test_every_method_is_in_the_document_once(made: dict[str, Any]) -> None:
    shown = {(path, method) for path, methods in made["paths"].items() for method in methods}
    assert shown == {(path_of(one), one.method.lower()) for one in OPERATIONS}
    assert len(shown) == len(OPERATIONS)
    assert len(set(NAMES)) == len(NAMES)


def test_the_files_of_the_documentation_are_current() -> None:
    for file, text in (
        (snapshot.OPENAPI_FILE, snapshot.openapi_text()),
        (snapshot.COMPATIBILITY_FILE, snapshot.compatibility_text()),
    ):
        written = file.read_text()
        difference = list(
            difflib.unified_diff(written.splitlines(), text.splitlines(), "written", "now", n=2, lineterm="")
        )
        if difference:
            lines = "\n".join(difference[:60])
            pytest.fail(f"{file.name} is stale, run `./perigee openapi --write`:\n{lines}", pytrace=False)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_every_method_says_what_it_does_and_takes(operation: Operation) -> None:
    assert operation.summary, "the handler has no docstring"
    assert operation.summary.endswith("."), operation.summary
    if operation.face.prefix == "/api":
        assert operation.section, "the contract's section is not named"
        assert operation.answer is not None, "what it answers is not declared"
    if operation.body is not None:
        assert operation.example is not None, "there is no example of its body"


@pytest.mark.parametrize(
    "operation", [one for one in OPERATIONS if one.example is not None], ids=lambda one: one.operation_id
)
def test_the_example_is_a_body_that_the_method_decodes(operation: Operation) -> None:
    try:
        json_edge.decode(json.dumps(operation.example).encode(), operation.body)
    except PerigeeError as error:
        pytest.fail(f"{operation.operation_id}: {error.message}", pytrace=False)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_examples_keep_their_schemas(operation: Operation, made: dict[str, Any]) -> None:
    from jsonschema import Draft202012Validator

    shown = made["paths"][path_of(operation)][operation.method.lower()]
    contents = [shown.get("requestBody", {}).get("content", {})]
    contents += [
        shown["responses"][str(status)].get("content", {})
        for status in (200, 201)
        if str(status) in shown["responses"]
    ]
    for content in contents:
        for media in content.values():
            if "schema" in media and "example" in media:
                root = {"components": made["components"], **media["schema"]}
                wrong = [error.message for error in Draft202012Validator(root).iter_errors(media["example"])]
                assert wrong == []


def test_declared_statuses_are_http_statuses() -> None:
    for one in OPERATIONS:
        for status in (*by_status(one.answer, 200), *one.refusals):
            assert 200 <= status < 600, one.operation_id
