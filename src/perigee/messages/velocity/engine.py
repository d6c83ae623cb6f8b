"""Velocity as an engine of messages (`messages.engine`).

A quiet look-up in `$data`, or a merge tag, is turned into a `Value` and needs no engine per person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from perigee.errors import Invalid
from perigee.lib.mime import without_surrogates
from perigee.messages.engine import Block, Merge, Moment, Place, Role, Source, Span, State, Template, Value
from perigee.messages.limits import LimitReached
from perigee.messages.person import Get, Names, Person
from perigee.messages.velocity.directives import Foreach, If, Node, Set, Text
from perigee.messages.velocity.expressions import Call, Literal, Member, Reference
from perigee.messages.velocity.parse import parse
from perigee.messages.velocity.run import MERGE_NAME, Data, Run
from perigee.messages.velocity.scan import SEAL, Kind, Unreadable, scan
from perigee.messages.velocity.values import Fault

_BARE = re.compile(r"\$!?(\{)?(\w+)(?(1)\})", re.ASCII)
_ROLES = {Kind.REFERENCE: Role.VALUE, Kind.VERBATIM: Role.PRINTS}


class Velocity:
    name = "velocity"
    seal = SEAL

    def spans(self, text: str, field: str) -> list[Span]:
        try:
            return [Span(code.start, code.end, _ROLES.get(code.kind, Role.STEERS)) for code in scan(text)]
        except Unreadable as error:
            raise _unreadable(error, text, field) from None

    def merge(self, number: int) -> str:
        return f"$!{{pg_merge_{number}}}"

    def placed(self, code: str, place: Place) -> str:
        return f"${{pg_{place.value} {code}}}"

    def bare_name(self, code: str) -> str | None:
        match = _BARE.fullmatch(code)
        return match[2] if match else None

    def parse(self, source: Source, names: Names) -> Template:
        try:
            nodes = parse(source.text)
        except Unreadable as error:
            raise _unreadable(error, source.text, source.field) from None
        except RecursionError:
            raise Invalid(f"{source.field}: is nested too deeply", field=source.field) from None
        assigned = set(_assigned(nodes))
        pieces: list[str | Value | Block] = []
        for node in nodes:
            if isinstance(node, Text):
                pieces.append(node.text)
            elif isinstance(node, Reference) and (value := _value(node, source, names, assigned)):
                pieces.append(value)
            else:
                pieces.append(VelocityBlock(node, source.field))
        if not any(isinstance(piece, VelocityBlock) for piece in pieces):
            return Template(pieces, None)
        return Template(pieces, _starter(source, names))


class VelocityBlock:
    """A top-level node that is evaluated for each person."""

    __slots__ = ("blank", "field", "node")

    def __init__(self, node: Node, field: str) -> None:
        self.node = node
        self.blank = isinstance(node, Set)
        self.field = field

    def render(self, state: State) -> str:
        assert isinstance(state, Run)
        out: list[str] = []
        try:
            self.node.render(state, out)
        except (Fault, LimitReached) as error:
            raise self._invalid(state, str(error)) from None
        except RecursionError:
            raise self._invalid(state, "nested too deeply") from None
        except ArithmeticError as error:
            raise self._invalid(state, f"the data do not fit ({type(error).__name__})") from None
        return without_surrogates("".join(out))

    def _invalid(self, run: Run, reason: str) -> Invalid:
        return Invalid(f"{self.field}: line {run.line}: {reason}", field=self.field)


def _unreadable(error: Unreadable, text: str, field: str) -> Invalid:
    line = text.count("\n", 0, error.position) + 1
    return Invalid(f"{field}: line {line}: {error}", field=field)


def _assigned(nodes: Iterable[Node]) -> Iterable[str]:
    """The names that the template itself gives to something."""
    for node in nodes:
        match node:
            case Set(name=name):
                yield name
            case Foreach(name=name, body=body):
                yield name
                yield from _assigned(body)
            case If(branches=branches):
                for branch in branches:
                    yield from _assigned(branch.body)
            case _:
                pass


def _value(node: Reference, source: Source, names: Names, assigned: set[str]) -> Value | None:
    """The reference as a plain look-up, or None when it is more than that."""
    place = node.place or (Place.HTML if source.html else Place.TEXT)
    if (match := MERGE_NAME.fullmatch(node.name)) and not node.steps:
        return _merged(source.merges, int(match[1]), place)
    if node.name != "data" or "data" in assigned or not node.quiet or len(node.steps) != 1:
        return None
    key = _key(node.steps[0])
    return None if key is None else Value(node.source, _getter(key, names), None, place)


def _key(step: object) -> str | None:
    match step:
        case Member(name=name) if name != "empty":
            return name
        case Call(name="get", arguments=(Literal(value=str() as key),)):
            return str(key)
        case _:
            return None


def _getter(key: str, names: Names) -> Get:
    return lambda person: Data(person, names)[key]


def _merged(merges: Sequence[Merge], number: int, place: Place) -> Value | None:
    if number >= len(merges):
        return None
    merge = merges[number]
    return Value(f"%{merge.name}%", merge.get, merge.fallback_in(html=place is Place.HTML), place)


def _starter(source: Source, names: Names) -> Callable[[Person, Moment], State]:
    def start(person: Person, moment: Moment) -> State:
        return Run(person, names, moment, source.merges, html=source.html)

    return start
