"""From source to tree. Raises Unreadable with the place and the rule; linear in the source but for CODE_LENGTH."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from perigee.messages.engine import Place
from perigee.messages.limits import DEPTH
from perigee.messages.velocity.directives import Branch, Break, Foreach, If, Node, Set, Text
from perigee.messages.velocity.expressions import Expression, Reference
from perigee.messages.velocity.grammar import Grammar
from perigee.messages.velocity.scan import SEAL, Code, Kind, Unreadable, scan

REFUSED = {
    "include": "nothing is loaded from elsewhere",
    "parse": "nothing is loaded from elsewhere",
    "evaluate": "text is not run as a template",
    "macro": "macros are not supported",
    "define": "blocks cannot be defined",
}
_LINE_REST = re.compile(r"[ \t]*(?:\r?\n)")
_ASSIGNMENT = re.compile(r"\$!?(\{)?([A-Za-z][A-Za-z0-9_-]*)(?(1)\})\s*=(?!=)")
_LOOP = re.compile(r"\$!?(\{)?([A-Za-z][A-Za-z0-9_-]*)(?(1)\})\s+in\s+")


@dataclass(slots=True)
class Frame:
    """A block that is still open. `name`: if or foreach, empty for the whole source."""

    name: str
    start: int
    line: int
    nodes: list[Node] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)
    condition: Expression | None = None
    loop: tuple[str, Expression] | None = None
    otherwise: bool = False


def parse(text: str) -> list[Node]:
    """The top level of a source."""
    return Parser(text).nodes()


class Parser:
    """One pass over the pieces of code; open blocks are on a stack."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack = [Frame("", 0, 1)]
        self.position = 0
        self._line, self._counted = 1, 0

    def nodes(self) -> list[Node]:
        for code in scan(self.text):
            self._text(code.start - code.slashes, keep=code.start - 2 * code.slashes)
            self._code(code)
        self._text(len(self.text), keep=len(self.text))
        frame = self.stack.pop()
        if self.stack:
            raise Unreadable(f"#{frame.name} has no #end", frame.start)
        return frame.nodes

    def _text(self, end: int, keep: int) -> None:
        """Text up to `end`, without the backslashes that keep code from being code."""
        plain = unescaped(self.text[self.position : keep]) + "\\" * (end - keep)
        if plain:
            self.stack[-1].nodes.append(Text(plain))

    def line(self, position: int) -> int:
        self._line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self._line

    def _code(self, code: Code) -> None:
        line = self.line(code.start)
        self.position = code.end
        if self.text[code.end : code.end + 1] == SEAL:
            self.position += 1
        match code.kind:
            case Kind.REFERENCE:
                self.stack[-1].nodes.append(self._reference(code, line))
            case Kind.DIRECTIVE:
                self._directive(code, line)
                self._swallow_line_end()
            case Kind.VERBATIM:
                self.stack[-1].nodes.append(Text(self.text[code.inner : code.end - 3]))
            case Kind.COMMENT:
                self._swallow_line_end()

    def _swallow_line_end(self) -> None:
        """A directive at the end of a line takes the line's end with it."""
        if rest := _LINE_REST.match(self.text, self.position):
            self.position = rest.end()

    def _reference(self, code: Code, line: int) -> Reference:
        if not code.name:
            return Grammar(self.text, code.start, code.end, line).whole_reference()
        if code.name not in _PLACES:
            raise Unreadable(f"pg_{code.name} is no place", code.start)
        return Grammar(self.text, code.inner, code.end - 1, line).whole_reference(_PLACES[code.name])

    def _directive(self, code: Code, line: int) -> None:
        if reason := REFUSED.get(code.name):
            raise Unreadable(f"#{code.name}: {reason}", code.start)
        match code.name:
            case "set":
                name, value = self._assignment(code, line, _ASSIGNMENT, "$name = value")
                self.stack[-1].nodes.append(Set(name, value, line))
            case "if":
                self._push(Frame("if", code.start, line, condition=self._condition(code, line)))
            case "foreach":
                loop = self._assignment(code, line, _LOOP, "$item in a list")
                self._push(Frame("foreach", code.start, line, loop=loop))
            case "elseif":
                self._branch(code)
                self.stack[-1].condition = self._condition(code, line)
                self.stack[-1].line = line
            case "else":
                self._branch(code)
                self.stack[-1].otherwise = True
            case "break":
                if not any(frame.name == "foreach" for frame in self.stack):
                    raise Unreadable("#break stands outside of a #foreach", code.start)
                self.stack[-1].nodes.append(Break())
            case _:
                self._end(code)

    def _push(self, frame: Frame) -> None:
        if len(self.stack) > DEPTH:
            raise Unreadable(f"blocks are nested more than {DEPTH} deep", frame.start)
        self.stack.append(frame)

    def _condition(self, code: Code, line: int) -> Expression:
        return Grammar(self.text, code.inner + 1, code.end - 1, line).whole()

    def _assignment(
        self, code: Code, line: int, pattern: re.Pattern[str], form: str
    ) -> tuple[str, Expression]:
        grammar = Grammar(self.text, code.inner + 1, code.end - 1, line)
        match = grammar.take(pattern)
        if match is None:
            raise Unreadable(f"#{code.name} must have the form #{code.name}({form})", code.start)
        return match[2], grammar.whole()

    def _branch(self, code: Code) -> None:
        frame = self.stack[-1]
        if frame.name != "if" or frame.otherwise:
            raise Unreadable(f"#{code.name} does not follow an #if", code.start)
        self._close_branch(frame)

    def _close_branch(self, frame: Frame) -> None:
        condition = None if frame.otherwise else frame.condition
        frame.branches.append(Branch(condition, tuple(frame.nodes), frame.line))
        frame.nodes = []

    def _end(self, code: Code) -> None:
        if len(self.stack) == 1:
            raise Unreadable("#end ends nothing", code.start)
        frame = self.stack.pop()
        if frame.name == "if":
            self._close_branch(frame)
            self.stack[-1].nodes.append(If(tuple(frame.branches)))
        else:
            assert frame.loop is not None
            self.stack[-1].nodes.append(Foreach(*frame.loop, tuple(frame.nodes), frame.line))


_PLACES = {place.value: place for place in (Place.URL, Place.LINK, Place.SOURCE, Place.JSON)}
_ESCAPED = re.compile(r"(?<!\\)(\\++)(?=\$!?\{?[A-Za-z]|\#(?:\{?[a-z]|\[\[|\*|\#))")


def unescaped(text: str) -> str:
    """`\\$name` and `\\#if` without the backslash that made them text."""
    return _ESCAPED.sub(lambda match: match[1][: len(match[1]) // 2], text) if "\\" in text else text
