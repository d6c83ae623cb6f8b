"""JSON schemas of the declared types: msgspec's, made exact where the old wire is looser than its structures."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

import msgspec

from perigee.http.operation import Csv, Empty, Operation, PlainText, Sentence
from perigee.openapi.meanings import MEANINGS, REQUIRED, OneOrMany

REF = "#/components/schemas/"
MARKERS = (Sentence, Empty, PlainText, Csv)
_DECIMAL = {"type": "string", "format": "decimal"}
_SIMPLE = frozenset({"string", "integer", "number", "boolean", "null"})


def parts(declared: Any) -> tuple[Any, ...]:
    """`A | Empty` as (A, Empty), everything else alone."""
    if get_origin(declared) in (Union, types.UnionType) and any(one in MARKERS for one in get_args(declared)):
        return get_args(declared)
    return (declared,)


def by_status(declared: Any, otherwise: int) -> dict[int, Any]:
    """A declared answer as one answer per status."""
    return dict(declared) if isinstance(declared, Mapping) else {otherwise: declared}


def declared_types(operation: Operation) -> Iterator[Any]:
    """Every type that an operation declares, markers left out."""
    if operation.body is not None:
        yield operation.body
    for query in operation.query:
        yield query.kind
    for answer in by_status(operation.answer, 200).values():
        yield from (part for part in parts(answer) if part is not None and part not in MARKERS)


class Schemas:
    """The components, and the schema of any declared type by reference to them."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        wanted: list[Any] = [*REQUIRED, *(kind for kind, _ in MEANINGS), *_inner_types()]
        for operation in operations:
            for one in declared_types(operation):
                _check(operation, one)
                wanted.append(one)
        shown, components = _components(wanted)
        names = {name: _short(name) for name in components}
        self._refs: dict[Any, dict[str, Any]] = {
            _key(kind): _exact(schema, names) for kind, schema in zip(wanted, shown, strict=True)
        }
        self.components: dict[str, Any] = {
            names[name]: _exact(schema, names) for name, schema in components.items()
        }
        self._add_meanings()
        used = set(
            _reachable(
                self.components, (self._refs[_key(one)] for op in operations for one in declared_types(op))
            )
        )
        self.components = {name: self.components[name] for name in sorted(used)}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a declared type; a reference where it has a name."""
        return self._refs[_key(kind)]

    def all_optional(self, kind: Any) -> bool:
        """Does an empty object do as the body?"""
        schema = self._resolve(self.of(kind))
        return schema.get("type") == "object" and not schema.get("required")

    def _resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        if "$ref" not in schema:
            return schema
        found: dict[str, Any] = self.components[schema["$ref"].removeprefix(REF)]
        return found

    def _add_meanings(self) -> None:
        for kind, members in REQUIRED.items():
            self._resolve(self.of(kind))["required"] = list(members)
        for (kind, member), meaning in MEANINGS.items():
            properties = self._resolve(self.of(kind))["properties"]
            if member not in properties:
                raise KeyError(f"{kind.__name__} has no member {member}")
            properties[member] = self._meaning(meaning)

    def _meaning(self, meaning: Any) -> dict[str, Any]:
        if isinstance(meaning, OneOrMany):
            element = self.of(meaning.element)
            return {
                "description": "One element stands without its list"
                + (", as text." if meaning.text else "."),
                "anyOf": [
                    {"type": "array", "items": element},
                    self._as_text(element) if meaning.text else element,
                ],
            }
        return meaning if isinstance(meaning, dict) else self.of(meaning)

    def _as_text(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A collapsed element: its numbers and booleans are text, also inside (contract section 3)."""
        schema = self._resolve(schema)
        if schema.get("type") in ("integer", "number", "boolean"):
            return {"type": "string"}
        shown = {key: value for key, value in schema.items() if key not in ("title", "description")}
        if "properties" in shown:
            shown["properties"] = {name: self._as_text(one) for name, one in shown["properties"].items()}
        if "items" in shown and isinstance(shown["items"], dict):
            shown["items"] = self._as_text(shown["items"])
        return shown


def _inner_types() -> Iterator[Any]:
    for meaning in MEANINGS.values():
        if isinstance(meaning, OneOrMany):
            yield meaning.element
        elif not isinstance(meaning, dict):
            yield meaning


def _key(kind: Any) -> Any:
    try:
        hash(kind)
    except TypeError:
        return repr(kind)
    return kind


def _components(wanted: Sequence[Any]) -> tuple[tuple[dict[str, Any], ...], dict[str, dict[str, Any]]]:
    return msgspec.json.schema_components(wanted, schema_hook=_any_value, ref_template=REF + "{name}")


def _any_value(kind: Any) -> dict[str, Any]:
    """`object` and `Raw` hold any JSON value."""
    if kind in (object, msgspec.Raw):
        return {"description": "Any JSON value."}
    raise NotImplementedError


def _check(operation: Operation, kind: Any) -> None:
    """Raises TypeError that names the operation: a type without a schema would stop the whole file."""
    try:
        _components([kind])
    except Exception as error:
        raise TypeError(f"{operation.operation_id} declares {kind!r}: {error}") from error


def _short(name: str) -> str:
    """Two types of one name are told apart by package: `contacts_WireUpload` of `perigee.contacts.….WireUpload`."""
    parts = name.split(".")
    return name if len(parts) < 3 else f"{parts[1]}_{parts[-1]}"


def _exact(schema: Any, names: Mapping[str, str]) -> Any:
    """Decimals are numbers on the wire; unions of plain types read as one; references follow the shorter names; the end
    of a text is `$` in the patterns of JSON Schema."""
    if isinstance(schema, list):
        return [_exact(one, names) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema == _DECIMAL:
        return {"type": "number"}
    if "$ref" in schema:
        return schema | {"$ref": REF + names[schema["$ref"].removeprefix(REF)]}
    schema = {key: _exact(value, names) for key, value in schema.items()}
    if isinstance(pattern := schema.get("pattern"), str) and pattern.endswith(r"\Z"):
        schema["pattern"] = pattern.removesuffix(r"\Z") + "$"
    choices = schema.get("anyOf", [])
    if choices and all(set(one) == {"type"} and one["type"] in _SIMPLE for one in choices):
        del schema["anyOf"]
        kinds = [one["type"] for one in choices]
        schema["type"] = [kind for kind in kinds if not (kind == "integer" and "number" in kinds)]
    return schema


def _reachable(components: Mapping[str, Any], start: Iterator[Any]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            reference = one.get("$ref")
            if isinstance(reference, str) and (name := reference.removeprefix(REF)) not in seen:
                seen.add(name)
                yield name
                waiting.append(components[name])
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
