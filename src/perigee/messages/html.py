"""Reading HTML as mail has it, in one linear pass and without building a tree.

The scan knows tags, attributes, comments, conditional comments of Outlook and raw text; nothing is repaired and
nothing is lost, so a changed document differs from its source only where it was meant to. Code must be hidden
first (`messages.opaque`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from html import unescape
from html.entities import html5

from perigee.errors import Invalid

MAX_SIZE = 2_000_000
"""Bytes of one HTML source (reliability 30)."""
MAX_DEPTH = 256


class Kind(Enum):
    TEXT = "text"
    OPEN = "open"
    CLOSE = "close"
    COMMENT = "comment"  # also declarations and processing instructions
    RAW = "raw"  # what stands in script, style, title and textarea


@dataclass(slots=True)
class Piece:
    """`html[start:end]`. `name` in lower case for tags; RAW has the name of its element."""

    kind: Kind
    start: int
    end: int
    name: str = ""


_NAME = re.compile(r"[A-Za-z][^\s/>\ufdd0]*")
_CONDITION = re.compile(r"<!--\[if[^\]]*\]>(?!<!--)", re.IGNORECASE)
_TO_QUOTE = re.compile(r"[^\"'>]*")
_RAW_END = {
    name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE)
    for name in ("script", "style", "title", "textarea")
}


def pieces(html: str, *, conditional: bool = True) -> Iterator[Piece]:
    """The document as pieces without gaps.

    `conditional`: look into `<!--[if mso]> … <![endif]-->`, which Outlook shows, as if it were no comment.
    A tag, comment or raw element that never ends is text up to the end of the document.
    """
    position, size = 0, len(html)
    while position < size:
        start = html.find("<", position)
        if start < 0:
            break
        piece = _markup(html, start, conditional)
        if piece is None:
            piece = Piece(Kind.TEXT, start, start + 1)
        if piece.end < 0:
            break
        if start > position:
            yield Piece(Kind.TEXT, position, start)
        yield piece
        position = piece.end
        if piece.kind is Kind.OPEN and piece.name in _RAW_END:
            end = _RAW_END[piece.name].search(html, position)
            if end is None:
                break
            yield Piece(Kind.RAW, position, end.start(), piece.name)
            position = end.start()
    if position < size:
        yield Piece(Kind.TEXT, position, size)


def _markup(html: str, start: int, conditional: bool) -> Piece | None:
    """The markup that begins at `start`; end -1 when it never ends; None when this `<` is text."""
    if html.startswith("<!--", start):
        if conditional and (opening := _CONDITION.match(html, start)):
            return Piece(Kind.COMMENT, start, opening.end())
        end = html.find("-->", start + 2)
        return Piece(Kind.COMMENT, start, end + 3 if end >= 0 else -1)
    if html.startswith(("<!", "<?"), start):
        end = html.find(">", start)
        return Piece(Kind.COMMENT, start, end + 1 if end >= 0 else -1)
    closing = html.startswith("</", start)
    name = _NAME.match(html, start + (2 if closing else 1))
    if name is None:
        return None
    return Piece(Kind.CLOSE if closing else Kind.OPEN, start, _tag_end(html, name.end()), name[0].lower())


def _tag_end(html: str, position: int) -> int:
    while True:
        position = _TO_QUOTE.match(html, position).end()  # type: ignore[union-attr]  # matches always
        if position >= len(html):
            return -1
        if html[position] == ">":
            return position + 1
        position = html.find(html[position], position + 1) + 1
        if position == 0:
            return -1


@dataclass(slots=True)
class Attribute:
    """Name in lower case; value as written, entities and all; `start`, `end`: of the value, quotes included."""

    name: str
    value: str
    start: int
    end: int


_ATTRIBUTE = re.compile(
    r"([^\s\"'<>/=\ufdd0]++)(?:\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"'<>][^\s<>]*+)))?+"
)


def attributes(html: str, tag: Piece) -> Iterator[Attribute]:
    """Attributes of an OPEN piece that have a value."""
    first = _NAME.match(html, tag.start + 1)
    assert first is not None
    for found in _ATTRIBUTE.finditer(html, first.end(), tag.end - 1):
        for group in (2, 3, 4):
            if (value := found[group]) is not None:
                quoted = group != 4
                yield Attribute(
                    found[1].lower(), value, found.start(group) - quoted, found.end(group) + quoted
                )


_REFERENCE = re.compile(r"&(?:#[0-9]++|#[xX][0-9a-fA-F]++|([A-Za-z][A-Za-z0-9]*+))(;?)(=?)")


def attribute_text(value: str) -> str:
    """An attribute's value as a browser reads it: `?a=1&copy=2` holds no copyright sign (HTML, 13.2.5.73)."""
    return _REFERENCE.sub(_referred, value) if "&" in value else value


def _referred(match: re.Match[str]) -> str:
    name, semicolon, equals = match.groups()
    if name is not None and (name + semicolon not in html5 or (equals and not semicolon)):
        return match[0]
    return unescape(match[0][: len(match[0]) - len(equals)]) + equals


def rewrite(html: str, change: Callable[[Piece, Attribute], str | None]) -> str:
    """The document with attribute values replaced by what `change` returns (None: as it is).

    The new value is written between double quotes and must hold none.
    """
    out: list[str] = []
    position = 0
    for piece in pieces(html):
        if piece.kind is not Kind.OPEN:
            continue
        for attribute in attributes(html, piece):
            value = change(piece, attribute)
            if value is not None:
                out += (html[position : attribute.start], '"', value, '"')
                position = attribute.end
    out.append(html[position:])
    return "".join(out)


def body_place(html: str) -> tuple[int, int]:
    """Where the content of the body begins and ends; the whole document when it has no such tags."""
    begin, end = 0, len(html)
    for piece in pieces(html, conditional=False):
        if (piece.kind is Kind.OPEN and piece.name in ("body", "html", "head") and begin <= piece.start) or (
            piece.kind is Kind.CLOSE and piece.name == "head"
        ):
            begin = piece.end
        elif piece.kind is Kind.CLOSE and piece.name in ("body", "html") and end == len(html):
            end = piece.start
    return begin, max(begin, end)


_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
    ]
)
_SELF_ENDING = frozenset(["dd", "dt", "li", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"])
_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)


def check_size(html: str, field: str, *, xml: bool = False) -> None:
    """Size and depth, counted before any tool sees the document. Raises Invalid.

    `xml`: the source is MJML, where `<a/>` is closed; to an HTML parser it is open, unless `a` is void.

    The tools overflow the stack on deep nesting and stall on much of it (protocols 0, finding 6). Formatting
    elements that are never closed count on, because a parser opens them again in every block that follows.
    """
    if len(html) > MAX_SIZE or len(html.encode("utf-8", "replace")) > MAX_SIZE:
        raise Invalid(f"{field}: is larger than {MAX_SIZE} bytes", field=field)
    depth, line_of = _depth(html, xml)
    if depth > MAX_DEPTH:
        raise Invalid(f"{field}: line {line_of}: elements are nested more than {MAX_DEPTH} deep", field=field)


def _depth(html: str, xml: bool) -> tuple[int, int]:
    """The greatest depth, or the first above the limit, and its line."""
    stack: list[str] = []
    open_count: dict[str, int] = {}
    reopened: dict[str, int] = {}
    deepest, dangling = 0, 0
    for piece in pieces(html, conditional=False):
        name = piece.name
        if piece.kind is Kind.CLOSE:
            if not open_count.get(name):
                if reopened.get(name):
                    reopened[name] -= 1
                    dangling -= 1
                continue
            while True:
                last = stack.pop()
                open_count[last] -= 1
                if last == name:
                    break
                if last in _FORMATTING:
                    reopened[last] = reopened.get(last, 0) + 1
                    dangling += 1
        elif piece.kind is Kind.OPEN and name not in _VOID and not (xml and html[piece.end - 2] == "/"):
            if name in _SELF_ENDING and stack and stack[-1] == name:
                continue
            stack.append(name)
            open_count[name] = open_count.get(name, 0) + 1
            depth = len(stack) + dangling
            if depth > deepest:
                deepest = depth
                if depth > MAX_DEPTH:
                    return depth, html.count("\n", 0, piece.start) + 1
    return deepest, 0
