"""The grammar of one piece of code: recursive descent over the characters between two positions."""

from __future__ import annotations

import re

from perigee.messages.engine import Place
from perigee.messages.limits import DEPTH
from perigee.messages.velocity.expressions import (
    Binary,
    Call,
    Expression,
    Index,
    Interpolated,
    List,
    Literal,
    Member,
    Negative,
    Not,
    Object,
    Range,
    Reference,
    Step,
)
from perigee.messages.velocity.methods import KNOWN
from perigee.messages.velocity.scan import Code, Kind, Unreadable, scan
from perigee.messages.velocity.values import Authored

_BLANK = re.compile(r"\s*")
_REFERENCE = re.compile(r"\$(!?)(\{)?([A-Za-z][A-Za-z0-9_-]*)")
_MEMBER = re.compile(r"\.([A-Za-z][A-Za-z0-9_-]*)(\()?")
_NUMBER = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?(?![0-9A-Za-z_])")
_STRING = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"\\]|\\.|\"\")*)\"", re.DOTALL)
_ESCAPE = re.compile(r"\\([nrtbf\"\\])|\"\"")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "\\": "\\"}
_WORD = re.compile(r"(true|false|null)\b")
_CONSTANTS = {"true": True, "false": False, "null": None}
_SPELLINGS = {"&&": "and", "||": "or", "eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_NOT = re.compile(r"!(?!=)|not\b")
_LEVELS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\|\||or\b",
        r"&&|and\b",
        r"==|!=|eq\b|ne\b",
        r"<=|>=|<|>|lt\b|le\b|gt\b|ge\b",
        r"\+|-",
        r"\*|/|%",
    )
)
"""Binary operators from weak to strong; all of them bind to the left."""


class Grammar:
    """Reads `text` from `position` to `end`."""

    def __init__(self, text: str, position: int, end: int, line: int) -> None:
        self.text = text
        self.position = position
        self.end = end
        self.line = line
        self.depth = 0

    def take(self, pattern: re.Pattern[str], *, blanks: bool = True) -> re.Match[str] | None:
        """What comes next, if it matches."""
        start = self.position
        if blanks and (blank := _BLANK.match(self.text, start, self.end)):
            start = blank.end()
        match = pattern.match(self.text, start, self.end)
        if match:
            self.position = match.end()
        return match

    def expect(self, pattern: re.Pattern[str], what: str) -> None:
        if self.take(pattern) is None:
            raise self.unreadable(f"expected {what}")

    def unreadable(self, reason: str) -> Unreadable:
        got = self.text[self.position : min(self.end, self.position + 40)].strip().split("\n")[0]
        return Unreadable(f"{reason}, got {got!r}" if got else f"{reason}, the code ends", self.position)

    def whole(self) -> Expression:
        """An expression that fills everything."""
        found = self.expression()
        self._ended()
        return found

    def whole_reference(self, place: Place | None = None) -> Reference:
        found = self.reference(place)
        if found is None:
            raise self.unreadable("expected a value like $data.get('name')")
        self._ended()
        return found

    def _ended(self) -> None:
        self.take(_BLANK)
        if self.position < self.end:
            raise self.unreadable("expected an operator or the end")

    def expression(self, level: int = 0) -> Expression:
        if level == len(_LEVELS):
            return self.operand()
        left = self.expression(level + 1)
        while match := self.take(_LEVELS[level]):
            left = Binary(_SPELLINGS.get(match[0], match[0]), left, self.expression(level + 1))
        return left

    def operand(self) -> Expression:
        self.depth += 1
        if self.depth > DEPTH:
            raise self.unreadable(f"an expression is nested more than {DEPTH} deep")
        found = self._operand()
        self.depth -= 1
        return found

    def _operand(self) -> Expression:
        if self.take(_NOT):
            return Not(self.operand())
        if match := self.take(_NUMBER):
            return Literal(float(match[0]) if "." in match[0] else int(match[0]))
        if match := self.take(_STRING):
            return self._string(match)
        if match := self.take(_WORD):
            return Literal(_CONSTANTS[match[1]])
        self.take(_BLANK)
        if reference := self.reference():
            return reference
        match self.text[self.position : min(self.end, self.position + 1)]:
            case "(":
                self.position += 1
                found = self.expression()
                self.expect(_CLOSE, "')'")
                return found
            case "[":
                self.position += 1
                return self._list()
            case "{":
                self.position += 1
                return self._object()
            case "-":
                self.position += 1
                return Negative(self.operand())
        raise self.unreadable("expected a value")

    def reference(self, place: Place | None = None) -> Reference | None:
        start = self.position
        match = self.take(_REFERENCE, blanks=False)
        if match is None:
            return None
        steps: list[Step] = []
        while step := self._step():
            steps.append(step)
        if match[2] and self.take(_BRACE, blanks=False) is None:
            raise self.unreadable("expected '}'")
        source = self.text[start : self.position]
        return Reference(match[3], tuple(steps), bool(match[1]), source, self.line, place)

    def _step(self) -> Step | None:
        if match := self.take(_MEMBER, blanks=False):
            if not match[2]:
                return Member(match[1])
            if match[1] not in KNOWN:
                raise self.unreadable(f".{match[1]}() is no method of templates")
            return Call(match[1], tuple(self._items(_CLOSE, "')'")))
        if self.take(_BRACKET, blanks=False):
            key = self.expression()
            self.expect(_UNBRACKET, "']'")
            return Index(key)
        return None

    def _items(self, closing: re.Pattern[str], what: str) -> list[Expression]:
        if self.take(closing):
            return []
        found = [self.expression()]
        while self.take(_COMMA):
            found.append(self.expression())
        self.expect(closing, what)
        return found

    def _list(self) -> Expression:
        if self.take(_UNBRACKET):
            return List(())
        first = self.expression()
        if self.take(_DOTS):
            last = self.expression()
            self.expect(_UNBRACKET, "']'")
            return Range(first, last)
        items = [first]
        while self.take(_COMMA):
            items.append(self.expression())
        self.expect(_UNBRACKET, "']'")
        return List(tuple(items))

    def _object(self) -> Expression:
        if self.take(_BRACE):
            return Object(())
        members = [self._member()]
        while self.take(_COMMA):
            members.append(self._member())
        self.expect(_BRACE, "'}'")
        return Object(tuple(members))

    def _member(self) -> tuple[Expression, Expression]:
        key = self.expression()
        self.expect(_COLON, "':'")
        return key, self.expression()

    def _string(self, match: re.Match[str]) -> Expression:
        """In single quotes text as it is, in double quotes with values in it."""
        if match[1] is not None:
            return Literal(Authored.of((match[1].replace("''", "'"), True)))
        text = _ESCAPE.sub(lambda m: _ESCAPES[m[1]] if m[1] else '"', match[2])
        pieces: list[str | Reference] = []
        position = 0
        for code in self._scanned(text):
            if code.kind is not Kind.REFERENCE or code.name:
                raise self.unreadable("directives cannot stand in a text")
            if code.start > position:
                pieces.append(text[position : code.start])
            pieces.append(self._inner(text, code))
            position = code.end
        if position < len(text):
            pieces.append(text[position:])
        if all(isinstance(piece, str) for piece in pieces):
            return Literal(Authored.of((text, True)))
        return Interpolated(tuple(pieces))

    def _scanned(self, text: str) -> list[Code]:
        """The code in a text within the code; its positions are not those of the source."""
        try:
            return list(scan(text))
        except Unreadable as error:
            raise self.unreadable(str(error)) from None

    def _inner(self, text: str, code: Code) -> Reference:
        inner = Grammar(text, code.start, code.end, self.line)
        inner.depth = self.depth
        try:
            return inner.whole_reference()
        except Unreadable as error:
            raise self.unreadable(str(error)) from None


_CLOSE, _BRACKET, _UNBRACKET, _BRACE, _COMMA, _COLON, _DOTS = map(
    re.compile, (r"\)", r"\[", r"\]", r"\}", r",", r":", r"\.\.")
)
