"""What steers a template: conditions, loops, assignments. `render` appends text to `out`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from perigee.messages.velocity.expressions import Expression
from perigee.messages.velocity.run import Run
from perigee.messages.velocity.values import items_of, true


class Node(Protocol):
    """Raises Fault, LimitReached."""

    def render(self, run: Run, out: list[str]) -> None: ...


class Broken(Exception):
    """`#break`: caught by the innermost loop. The parser lets none stand outside of one."""


@dataclass(frozen=True, slots=True)
class Text:
    text: str

    def render(self, run: Run, out: list[str]) -> None:
        run.budget.charge(1)
        run.print(out, self.text)


@dataclass(frozen=True, slots=True)
class Set:
    """`#set($name = value)`; as in Velocity, setting nothing leaves the variable as it was."""

    name: str
    value: Expression
    line: int

    def render(self, run: Run, out: list[str]) -> None:
        run.line = self.line
        value = self.value.evaluate(run)
        if value is not None:
            run.assign(self.name, value)


@dataclass(frozen=True, slots=True)
class Branch:
    """`condition` None: `#else`."""

    condition: Expression | None
    body: tuple[Node, ...]
    line: int


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[Branch, ...]

    def render(self, run: Run, out: list[str]) -> None:
        for branch in self.branches:
            run.line = branch.line
            run.budget.charge(1)
            if branch.condition is None or true(branch.condition.evaluate(run)):
                for node in branch.body:
                    node.render(run, out)
                return


_OF_LOOP = ("velocityCount", "velocityHasNext", "foreach")


@dataclass(frozen=True, slots=True)
class Foreach:
    """The loop's variables are put back behind it; others that were set inside of it stay."""

    name: str
    source: Expression
    body: tuple[Node, ...]
    line: int

    def render(self, run: Run, out: list[str]) -> None:
        run.line = self.line
        run.budget.charge(1)
        value = self.source.evaluate(run)
        if isinstance(value, str) and value[:1] in ("[", "{"):
            value = run.decoded(value)
        outer = {name: run.variables[name] for name in (self.name, *_OF_LOOP) if name in run.variables}
        with suppress(Broken):
            self._turns(run, out, value)
        for name in (self.name, *_OF_LOOP):
            run.variables.pop(name, None)
        run.variables.update(outer)

    def _turns(self, run: Run, out: list[str], value: object) -> None:
        items = items_of(value)
        for count, item in enumerate(items, 1):
            run.budget.charge(1)
            has_next = count < len(items)
            run.variables[self.name] = item
            run.variables["velocityCount"] = count
            run.variables["velocityHasNext"] = has_next
            run.variables["foreach"] = {
                "count": count,
                "index": count - 1,
                "hasNext": has_next,
                "first": count == 1,
                "last": not has_next,
            }
            for node in self.body:
                node.render(run, out)


@dataclass(frozen=True, slots=True)
class Break:
    def render(self, run: Run, out: list[str]) -> None:
        raise Broken
