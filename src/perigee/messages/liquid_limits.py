"""What a Liquid template is charged from its budget (`messages.limits`).

python-liquid has limits of its own, but they are products of nested loops, not sums, and no filter heeds them.
So every look-up, filter, assignment and loop is charged here, and sizes are checked before a filter can multiply
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import LoopExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.expression import Expression
from liquid.token import Token

from perigee.messages.engine import Merge, Moment
from perigee.messages.limits import ITEMS, OUTPUT_BYTES, VALUE_WEIGHT, Budget, LimitReached, weight

MERGE_NAME = re.compile(r"pg_merge_(\d{1,6})")
"""The variable that stands for a merge tag."""
PLACED = re.compile(r" \| pg_(?:url|link|source)$")


class LimitedContext(RenderContext):
    """The state of one source for one person: variables, budget, and which expressions came out empty."""

    __slots__ = ("budget", "held", "loop_weight", "merges", "missing", "moment", "output_left")

    budget: Budget
    moment: Moment
    merges: Sequence[Merge]
    missing: list[str]
    held: int
    loop_weight: int
    output_left: int

    def begin(self, moment: Moment, merges: Sequence[Merge]) -> LimitedContext:
        self.budget = Budget()
        self.moment = moment
        self.merges = merges
        self.missing = []
        self.held = 0
        self.loop_weight = 1
        self.output_left = OUTPUT_BYTES
        return self

    def missed(self, expression: str) -> None:
        """Printing `expression` gave nothing; where the author provided for that, it is meant."""
        shown = PLACED.sub("", expression)
        if match := MERGE_NAME.fullmatch(shown):
            number = int(match[1])
            if number < len(self.merges) and self.merges[number].fallback is None:
                self.missing.append(self.merges[number].written())
        elif "| default" not in shown:
            self.missing.append(shown)

    def get(self, path: list[object], *, token: Token | None, **kwargs: Any) -> object:
        self.budget.charge(1)
        return super().get(path, token=token, **kwargs)

    def assign(self, key: str, val: Any) -> None:
        size = weight(val)
        self.held += size
        self.budget.charge(1 + size // 100)
        if self.held > OUTPUT_BYTES:
            raise LimitReached("the template's variables are too large")
        self.locals[key] = val

    def filter(self, name: str, token: Token | None) -> Callable[..., object]:
        apply = super().filter(name, token)
        growth = GROWTH.get(name)

        def limited(left: object, *args: object, **kwargs: object) -> object:
            size = weight(left) + sum(map(weight, args))
            self.budget.charge(1 + size // 100)
            if growth is not None:
                growth(left, *args)
            result = apply(left, *args, **kwargs)
            weight(result)
            return result

        return limited

    def raise_for_loop_limit(self, length: int = 1) -> None:
        """Called with the number of turns before a loop begins."""
        self.budget.charge(length * self.loop_weight)


def _replace(left: object, old: object = "", new: object = "") -> None:
    text, old, new = str(left), str(old), str(new)
    if text.count(old) * len(new) > VALUE_WEIGHT:
        raise LimitReached(f"replace: the result is longer than {VALUE_WEIGHT} characters")


def _join(left: object, separator: object = " ") -> None:
    length = len(left) if isinstance(left, (list, tuple, range)) else 1
    if length * len(str(separator)) > VALUE_WEIGHT:
        raise LimitReached(f"join: the result is longer than {VALUE_WEIGHT} characters")


GROWTH: Mapping[str, Callable[..., None]] = {"replace": _replace, "join": _join}
"""Filters whose result can be the product of their arguments; all others give at most a small multiple."""


class _BoundedStop(Expression):
    """The end of a range, refused when the range is too long to be walked, whatever it is used for."""

    __slots__ = ("start", "stop")

    def __init__(self, start: Expression, stop: Expression) -> None:
        super().__init__(stop.token)
        self.start = start
        self.stop = stop

    def __str__(self) -> str:
        return str(self.stop)

    def evaluate(self, context: RenderContext) -> object:
        start, stop = self.start.evaluate(context), self.stop.evaluate(context)
        if _as_int(stop) - _as_int(start) > ITEMS:
            raise LimitReached(f"a range has more than {ITEMS} elements")
        return stop

    def children(self) -> list[Expression]:
        return [self.stop]


def _as_int(value: object) -> int:
    """As python-liquid reads the ends of a range: 0 where it is no number."""
    try:
        return int(value)  # type: ignore[call-overload,no-any-return]  # anything may come, that is the point
    except (ValueError, TypeError, OverflowError):
        return 0


def bound_range(expression: Expression) -> None:
    """Bounds a range literal in place."""
    if isinstance(expression, RangeLiteral) and not isinstance(expression.stop, _BoundedStop):
        expression.stop = _BoundedStop(expression.start, expression.stop)


def _nodes_in(block: Node) -> int:
    """Nodes that one turn may run; inner loops account for their own."""
    if isinstance(block, (ForNode, TablerowNode)):
        return 1
    children = block.nodes if isinstance(block, BlockNode) else _children(block)
    return 1 + sum(map(_nodes_in, children))


def _children(node: Node) -> list[Node]:
    return list(node.children(_NO_CONTEXT, include_partials=False))


class LimitedForNode(ForNode):
    """A loop that is charged for what its turns run."""

    __slots__ = ("weight",)

    def __init__(
        self, token: Token, expression: LoopExpression, block: BlockNode, default: BlockNode | None = None
    ) -> None:
        super().__init__(token, expression, block, default)
        self.weight = _nodes_in(block)

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _charged(self.weight, super().render_to_output, context, buffer)


class LimitedTablerowNode(TablerowNode):
    __slots__ = ("weight",)

    def __init__(self, token: Token, expression: LoopExpression, block: BlockNode) -> None:
        super().__init__(token, expression, block)
        self.weight = _nodes_in(block)

    def render_to_output(self, context: RenderContext, buffer: Any) -> int:
        return _charged(self.weight, super().render_to_output, context, buffer)


def _charged(
    nodes: int, render: Callable[[RenderContext, Any], int], context: RenderContext, buffer: Any
) -> int:
    assert isinstance(context, LimitedContext)
    context.loop_weight = nodes  # read by raise_for_loop_limit, which the library calls next
    return render(context, buffer)


class LimitedForTag(ForTag):
    node_class = LimitedForNode


class LimitedTablerowTag(TablerowTag):
    node_class = LimitedTablerowNode


_NO_CONTEXT: Any = None
"""`children` of the tags we allow never looks at its context; only `include` and `render` would."""
