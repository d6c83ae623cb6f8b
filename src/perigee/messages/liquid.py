"""Liquid as the template language of messages (the default engine).

`{{ first_name | default: "friend" }}`, `{{ contact.fields.PERSONAL.BONUS }}`, `{% if data.items.size > 0 %}`: names
are listed in `messages.person`. Everything standard is there but `include` and `render` (nothing is loaded), plus
`raw` (also `safe`): the value as it is. In HTML every printed value is escaped; text literals of the author and
captured blocks are not. Templates see plain data, never Python objects, and a value is never parsed again.

A look-up, with at most a literal `default` and `raw`, is turned into a `Value` and needs no engine per person.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from liquid import Environment, Mode
from liquid.ast import Node
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, StringLiteral
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.comment_tag import CommentNode
from liquid.builtin.tags.doc_tag import DocNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.context import RenderContext
from liquid.exceptions import LiquidError, LiquidInterrupt, UnknownFilterError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from markupsafe import Markup

from perigee.errors import Invalid
from perigee.lib.mime import without_surrogates
from perigee.messages import liquid_filters
from perigee.messages.engine import Block, Merge, Moment, Place, Role, Source, Span, State, Template, Value
from perigee.messages.limits import DEPTH, OUTPUT_BYTES, LimitReached, weight
from perigee.messages.liquid_limits import (
    MERGE_NAME,
    LimitedContext,
    LimitedForTag,
    LimitedTablerowTag,
    bound_range,
)
from perigee.messages.opaque import URL_NAMES
from perigee.messages.person import CONSTANTS, STANDARD, Names, Person, text_of

CODE_LENGTH = 2_000
"""Longest single piece of code; some patterns of the library's lexer are quadratic in it."""
CODE_PIECES = 5_000


def _print(node: OutputNode, context: RenderContext, buffer: Any) -> int:
    assert isinstance(context, LimitedContext)
    value = node.expression.evaluate(context)
    if isinstance(value, Markup):
        text = str(value)
    else:
        if isinstance(value, (list, dict)):
            weight(value)
        text = f"{value.start}..{value.stop - 1}" if isinstance(value, range) else text_of(value)
        if context.autoescape:
            text = html.escape(text)
    if not text:
        context.missed(str(node.expression))
    written: int = buffer.write(without_surrogates(text))
    return written


class PrintNode(OutputNode):
    """`{{ … }}`, written as `person.text_of` reads values and escaped in HTML."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _print(self, context, buffer)


class PrintEchoNode(EchoNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _print(self, context, buffer)


class _Output(Output):
    node_class = PrintNode


class _EchoTag(EchoTag):
    node_class = PrintEchoNode


class _BoundTemplate(BoundTemplate):
    context_class = LimitedContext


class _Environment(Environment):
    block_nesting_limit = DEPTH
    context_depth_limit = DEPTH + 4  # the four scopes every context has
    output_stream_limit = OUTPUT_BYTES
    template_class = _BoundTemplate


def _environment(*, autoescape: bool) -> Environment:
    env = _Environment(tolerance=Mode.STRICT, strict_filters=True, autoescape=autoescape)
    for name in ("include", "render"):
        del env.tags[name]
    for tag in (_Output, _EchoTag, LimitedForTag, LimitedTablerowTag):
        env.add_tag(tag)
    liquid_filters.register(env)
    return env


_TEXT, _HTML = _environment(autoescape=False), _environment(autoescape=True)

_OPENING = re.compile(r"\{[{%]")
_TAG_NAME = re.compile(r"\{%-?\s*(#|\w*)")
_VERBATIM = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("raw", "comment", "doc")}
_PRINTING = frozenset({"cycle", "decrement", "echo", "increment", "liquid", "raw"})
_BARE = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")


class Liquid:
    name = "liquid"
    seal = ""

    def spans(self, text: str, field: str) -> list[Span]:
        found: list[Span] = []
        position = 0
        while match := _OPENING.search(text, position):
            start = match.start()
            end = text.find("}}" if match[0] == "{{" else "%}", start + 2) + 2
            if end < 2:
                raise _at(field, text, start, f"{match[0]} is never closed")
            tag = _tag_name(text, start)
            if closing := _VERBATIM.get(tag):
                ended = closing.search(text, end)
                if ended is None:
                    raise _at(field, text, start, "the block is never ended")
                end = ended.end()
            elif end - start > CODE_LENGTH:
                raise _at(field, text, start, f"code is longer than {CODE_LENGTH} characters")
            role = Role.VALUE if match[0] == "{{" else Role.PRINTS if tag in _PRINTING else Role.STEERS
            found.append(Span(start, end, role))
            position = end
        if len(found) > CODE_PIECES:
            raise Invalid(f"{field}: has more than {CODE_PIECES} pieces of code", field=field)
        return found

    def merge(self, number: int) -> str:
        return f"{{{{ pg_merge_{number} }}}}"

    def placed(self, code: str, place: Place) -> str:
        body, closing = (code[:-3], "-}}") if code.endswith("-}}") else (code[:-2], "}}")
        return f"{body}| {liquid_filters.PLACES[place]} {closing}"

    def bare_name(self, code: str) -> str | None:
        match = _BARE.fullmatch(code)
        return match[1] if match else None

    def parse(self, source: Source, names: Names) -> Template:
        self.spans(source.text, source.field)
        env = _HTML if source.html else _TEXT
        try:
            bound = env.from_string(source.text)
            assigned = set(_prepare(env, bound.nodes))
        except LiquidError as error:
            raise _invalid(error, source.field, source.text) from None
        pieces: list[str | Value | Block] = []
        for node in bound.nodes:
            if isinstance(node, (CommentNode, DocNode)):
                continue
            if isinstance(node, ContentNode):
                pieces.append(node.text)
            elif value := _value(node, source, names, assigned):
                pieces.append(value)
            else:
                pieces.append(LiquidBlock(node, source.field))
        if not any(isinstance(piece, LiquidBlock) for piece in pieces):
            return Template(pieces, None)
        return Template(pieces, _starter(bound, source, names))


class LiquidBlock:
    """A top-level node that is evaluated for each person."""

    __slots__ = ("blank", "field", "node")

    def __init__(self, node: Node, field: str) -> None:
        self.node = node
        self.blank = node.blank
        self.field = field

    def __str__(self) -> str:
        return str(self.node)

    def render(self, state: State) -> str:
        assert isinstance(state, LimitedContext)
        buffer = LimitedStringIO(limit=state.output_left)
        try:
            state.budget.charge(1)
            self.node.render(state, buffer)
        except LiquidError as error:
            error.token = error.token or self.node.token
            raise _invalid(error, self.field) from None
        except LimitReached as error:
            raise _located(self.node, self.field, str(error)) from None
        except LiquidInterrupt as error:
            raise _located(self.node, self.field, f"{error} outside of a loop") from None
        except RecursionError:
            raise _located(self.node, self.field, "nested too deeply") from None
        except (ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            # The library's filters let Python's own errors through when data do not fit.
            raise _located(self.node, self.field, f"the data do not fit ({type(error).__name__})") from None
        state.output_left -= buffer.size
        return buffer.getvalue()


def _tag_name(text: str, start: int) -> str:
    match = _TAG_NAME.match(text, start)
    return match[1] if match else ""


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children(None, include_partials=False))  # type: ignore[arg-type]  # see liquid_limits


def _expressions(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in expression.children():
        yield from _expressions(child)


def _prepare(env: Environment, nodes: list[Node]) -> Iterator[str]:
    """Bounds ranges, refuses unknown filters, and yields the names that the template itself assigns."""
    for node in _walk(nodes):
        yield from map(str, node.template_scope())
        for outer in node.expressions():
            for expression in _expressions(outer):
                bound_range(expression)
                if isinstance(expression, FilteredExpression):
                    for used in expression.filters or ():
                        if used.name not in env.filters:
                            raise UnknownFilterError(f"unknown filter '{used.name}'", token=used.token)


def _value(node: Node, source: Source, names: Names, assigned: set[str]) -> Value | None:
    """The node as a plain look-up, or None when it is more than that."""
    if not isinstance(node, PrintNode) or not isinstance(node.expression, FilteredExpression):
        return None
    path = node.expression.left
    if not isinstance(path, Path) or not all(isinstance(segment, (str, int)) for segment in path.path):
        return None
    segments = [segment for segment in path.path if isinstance(segment, (str, int))]
    root = str(segments[0])
    if root in assigned or root in _COMPUTED or any(segment in _PROPERTIES for segment in segments[1:]):
        return None
    place, fallback, is_raw = Place.HTML if source.html else Place.TEXT, None, False
    for used in node.expression.filters or ():
        if used.name == "default" and fallback is None and not is_raw and len(used.args) == 1:
            argument = used.args[0]
            literal = argument.value
            if getattr(argument, "name", None) or not isinstance(literal, StringLiteral):
                return None
            fallback = str(literal.value)
        elif used.name in ("raw", "safe") and not used.args:
            is_raw = True
        elif used.name in _PLACE_OF:
            place = _PLACE_OF[used.name]
        else:
            return None
    if match := MERGE_NAME.fullmatch(root):
        return _merged(source.merges, int(match[1]), place) if len(segments) == 1 else None
    get = names.path(segments)
    return None if get is None else Value(str(path), get, fallback, place, is_raw)


_PLACE_OF = {name: place for place, name in liquid_filters.PLACES.items()}
_PROPERTIES = frozenset({"size", "first", "last"})
_COMPUTED = frozenset({"now", "today", *URL_NAMES})


def _merged(merges: Sequence[Merge], number: int, place: Place) -> Value | None:
    if number >= len(merges):
        return None
    merge = merges[number]
    return Value(f"%{merge.name}%", merge.get, merge.fallback_in(html=place is Place.HTML), place)


class _Scope(Mapping[str, object]):
    """The names a template can reach beside its own variables."""

    def __init__(self, source: Source, names: Names, person: Person, moment: Moment) -> None:
        self.source = source
        self.names = names
        self.person = person
        self.moment = moment

    def __getitem__(self, name: str) -> object:
        if name in STANDARD:
            return getattr(self.person, name)
        if name == "data":
            return self.person.data
        if name == "contact":
            return self.names.contact(self.person)
        if name == "fields":
            return self.names.fields(self.person)
        if name == "now":
            return self.moment.now
        if name == "today":
            return self.moment.now.date()
        if name in URL_NAMES:
            return self.moment.urls(name)
        if name in _CONSTANT_NAMES:
            return self.names.constants.get(name, "")
        if match := MERGE_NAME.fullmatch(name):
            return self._merge(int(match[1]))
        return self.person.data[name]

    def _merge(self, number: int) -> object:
        merge = self.source.merges[number] if number < len(self.source.merges) else None
        if merge is None:
            return None
        if text := text_of(merge.get(self.person)):
            return text
        fallback = merge.fallback_in(html=self.source.html)
        # The author's own words, HTML already.
        return Markup(fallback) if fallback and self.source.html else fallback  # noqa: S704

    def __iter__(self) -> Iterator[str]:
        return iter((*STANDARD, *self.person.data))

    def __len__(self) -> int:
        return len(STANDARD) + len(self.person.data)  # never 0: the library drops empty globals


_CONSTANT_NAMES = frozenset(CONSTANTS.values())


def _starter(bound: BoundTemplate, source: Source, names: Names) -> Callable[[Person, Moment], State]:
    def start(person: Person, moment: Moment) -> State:
        return LimitedContext(bound, globals=_Scope(source, names, person, moment)).begin(
            moment, source.merges
        )

    return start


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1


def _at(field: str, text: str, index: int, reason: str) -> Invalid:
    shown = text[index : index + 40].split("\n")[0]
    return Invalid(f"{field}: line {_line(text, index)}: {reason}: {shown}", field=field)


def _located(node: Node, field: str, reason: str) -> Invalid:
    return Invalid(f"{field}: line {_line(node.token.source, node.token.start_index)}: {reason}", field=field)


def _invalid(error: LiquidError, field: str, text: str = "") -> Invalid:
    """Where the library gives no place, the source ended too early: its last line."""
    token = error.token
    line = (
        _line(token.source, token.start_index) if token and token.start_index >= 0 else _line(text, len(text))
    )
    return Invalid(f"{field}: line {line}: {error.message}", field=field)
