"""The HTTP JSON edge: bytes to typed objects and back (protocols 3.1, reliability 27).

What `decode` lets through, every later step can store and show: valid UTF-8, at most 32 levels deep, no NaN, no
infinity, no integer beyond 64 bits, no lone surrogate. Of equal keys the last wins, here as in every parser of ours.
The checks are a few passes in C over the body, together about a quarter of the time of decoding.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, TypeVar, cast, overload

import msgspec

from perigee.errors import Invalid

MAX_DEPTH = 32
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

T = TypeVar("T")

_BOM = b"\xef\xbb\xbf"
_STRUCTURE = b'[]{}"'
_NOT_STRUCTURE = bytes(byte for byte in range(256) if byte not in _STRUCTURE)
_BRACES_TO_BRACKETS = bytes.maketrans(b"{}", b"[]")
_TOO_DEEP = b"[" * (MAX_DEPTH + 1)

_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_LONG_NUMBER = b"0" * 19

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

_encoder = msgspec.json.Encoder(decimal_format="number")


@functools.lru_cache(maxsize=512)
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


@overload
def decode(body: bytes, type_: type[T]) -> T: ...
@overload
def decode(body: bytes, type_: Any = Any) -> Any: ...
def decode(body: bytes, type_: Any = Any) -> Any:
    """One JSON document as `type_`. Raises `Invalid`, which names the path of the field and the rule it breaks.

    Parts typed `msgspec.Raw` are only checked for syntax and depth; give them to `decode_each`.
    """
    body = body.removeprefix(_BOM)
    if not body.isascii():
        _refuse_bad_utf8(body)
    if is_too_deep(body):
        raise Invalid(f"the body is nested deeper than {MAX_DEPTH} levels")
    return _typed(body, type_)


def decode_each(items: Sequence[msgspec.Raw | bytes], type_: type[T]) -> list[T | Invalid]:
    """Every element of a bulk call as `type_`, or the `Invalid` that says why it is not one; order is kept.

    `items` come from a field typed `list[msgspec.Raw]` of an object that `decode` made.
    """
    if not items:
        return []
    try:
        return cast("list[T | Invalid]", _typed(b"[" + b",".join(items) + b"]", list[type_]))  # type: ignore[valid-type]  # a run-time type
    except Invalid:
        return [_one(bytes(item), type_) for item in items]


def encode(value: object) -> bytes:
    """UTF-8 JSON. Decimals are numbers; an aware datetime is RFC 3339 with its offset; NaN is null.

    The old wire shows times in the organisation's zone without an offset: its faces pass `dates.wire(...)` text.
    """
    return _encoder.encode(value)


def is_too_deep(body: bytes) -> bool:
    """Whether brackets outside strings nest deeper than `MAX_DEPTH`. Malformed JSON is left to the parser."""
    if b"\\" in body:  # an escaped quote does not end a string
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    structure = body.translate(_BRACES_TO_BRACKETS, _NOT_STRUCTURE)
    structure = structure.replace(
        b'""', b""
    )  # strings without brackets; neighbours merge, which changes no nesting
    if b'"' in structure:
        structure = b"".join(structure.split(b'"')[::2])
    for _ in range(MAX_DEPTH):  # each round takes off the innermost level
        if not structure:
            return False
        if _TOO_DEEP in structure:
            return True
        rest = structure.replace(b"[]", b"")
        if len(rest) == len(structure):
            return False
        structure = rest
    return bool(structure)


def _one(item: bytes, type_: type[T]) -> T | Invalid:
    try:
        return _typed(item, type_)  # type: ignore[no-any-return]  # the decoder of T makes a T
    except Invalid as error:
        return error


def _typed(body: bytes, type_: Any) -> Any:
    try:
        value = _decoder(type_).decode(body)
    except msgspec.ValidationError as error:
        raise _explain(str(error), body) from None
    except msgspec.DecodeError as error:
        repaired = _replace_lone_surrogates(body) if b"\\u" in body else body
        if repaired != body:
            return _typed(repaired, type_)
        raise Invalid(_malformed(str(error), body)) from None
    except (RecursionError, UnicodeDecodeError):
        raise Invalid("the body is not valid JSON") from None
    if _LONG_NUMBER in body.translate(_DIGITS_TO_ZERO):  # a hint only: most such digits stand in strings
        _refuse_big_integers(value, "")
    return value


def _refuse_bad_utf8(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not valid UTF-8 (byte {error.start})") from None


def _replace_lone_surrogates(body: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], body)


def _refuse_big_integers(value: object, path: str) -> None:
    if isinstance(value, int):
        if not INT64_MIN <= value <= INT64_MAX:
            raise _refusal(path.lstrip("."), value, "is not a 64-bit whole number")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_big_integers(item, f"{path}.{key}")
    elif isinstance(value, list | tuple | set | frozenset):
        for index, item in enumerate(value):
            _refuse_big_integers(item, f"{path}[{index}]")
    elif isinstance(value, msgspec.Struct):
        for name, wire_name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
            _refuse_big_integers(getattr(value, name), f"{path}.{wire_name}")


_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a date with time",
    "date": "a date",
    "uuid": "a UUID",
}
_BACKTICKS = re.compile(r"`([^`]*)`")
_WHERE = re.compile(r" - at (`key` in )?`\$(.*)`$", re.DOTALL)
_STEPS = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def _words(match: re.Match[str]) -> str:
    names = match[1].split(" | ")
    return " or ".join(_WORDS.get(name, name) for name in names)


def _malformed(message: str, body: bytes) -> str:
    if not body.strip():
        return "the body is empty"
    if message.startswith("JSON is malformed: "):
        return "the body is not valid JSON: " + message.removeprefix("JSON is malformed: ")
    return "the body is not valid JSON: it ends too early"


def _explain(message: str, body: bytes) -> Invalid:
    """The parser's sentence, such as "Expected `str`, got `int` - at `$.a[1].b`", as `Invalid`."""
    where = _WHERE.search(message)
    rule = message[: where.start()] if where else message
    path = where[2].lstrip(".") if where else ""
    if rule.startswith("Object missing required field "):
        name = _BACKTICKS.findall(rule)[0]
        field = f"{path}.{name}" if path else name
        return Invalid(f"{field}: is required", field=field)
    found, value = _value_at(body, path) if not (where and where[1]) else (False, None)
    return (
        _refusal(path, value, _rule(rule))
        if found
        else Invalid(f"{path or 'body'}: {_rule(rule)}", field=path or None)
    )


def _refusal(path: str, value: object, rule: str) -> Invalid:
    error = Invalid.of(path or "body", value, rule)
    error.field = path or None
    return error


def _rule(sentence: str) -> str:
    if sentence in ("Number out of range", "Integer value out of range"):
        return "is a number out of range"
    if sentence.startswith("Invalid enum value"):
        return "is not one of the allowed values"
    if sentence.startswith("Invalid RFC3339 encoded "):
        return "is not a valid " + sentence.removeprefix("Invalid RFC3339 encoded ")
    if sentence.startswith("Expected "):
        wanted, comma, got = sentence.removeprefix("Expected ").partition(", got ")
        wanted = wanted.replace(" of length <= ", " no longer than ").replace(
            " of length >= ", " no shorter than "
        )
        return "must be " + _BACKTICKS.sub(_words, wanted + (", not " + got if comma else ""))
    return "breaks a rule: " + _BACKTICKS.sub(_words, sentence[:1].lower() + sentence[1:])


def _value_at(body: bytes, path: str) -> tuple[bool, object]:
    """The scalar that stands at a path of the body, to be shown in the refusal."""
    try:
        value = _decoder(Any).decode(body)
        for name, index in _STEPS.findall("." + path if path and path[0] != "[" else path):
            value = value[name] if name else value[int(index)]
    except (msgspec.DecodeError, RecursionError, KeyError, IndexError, TypeError, ValueError):
        return False, None
    return isinstance(value, str | int | float), value
