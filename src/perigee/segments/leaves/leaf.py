"""What a condition is: its rule, its SQL, its answer for one person, side by side.

To add a condition write a class here beside the others and name it in `conditions.Condition`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from enum import IntEnum
from typing import Any, ClassVar, Literal, NamedTuple

from perigee.segments.comparisons import Comparison
from perigee.segments.node import Node
from perigee.segments.person import Needs, Person
from perigee.segments.sql import Sql
from perigee.segments.world import Catalogue, World

NameKind = Literal["segment", "field", "event_type", "category", "campaign", "message"]
Name = tuple[NameKind, int | str]
"""Something of the organisation that a condition names: event types and categories by key, the others by id."""


class Effort(IntEnum):
    """What a condition costs where many contacts are asked about."""

    SMALL = 0
    """Reads what there is at most once per contact."""
    LOOK = 1
    """Looks through what happened, which the planner turns into a join of its own choice."""
    COUNT = 2
    """Adds up what happened, so that it pays to know beforehand for whom (`narrow`)."""


class Leaf(Node, frozen=True):
    """A single condition. Its readings must agree; `test_two_readings` holds them against each other.

    They are asked only of leaves that pass `check`: `expand` puts a `Broken` in the place of others.
    """

    plain: ClassVar[bool] = False
    """Looks at nothing but the contact's own row, so that its SQL may stand anywhere in an expression."""

    @property
    def effort(self) -> Effort:
        return Effort.SMALL

    def check(self, at: str, catalogue: Catalogue) -> None:
        """Raises Invalid naming the member under `at`, its value and the rule."""

    def names(self) -> Iterable[Name]:
        """What the catalogue must hold for it."""
        return ()

    def relative(self) -> Iterable[Comparison]:
        """Comparisons with the present moment that it makes beside those among its members."""
        return ()

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        """Adds what `found` looks at."""

    @abstractmethod
    def conjunct(self, sql: Sql, contact: str, wanted: bool) -> str:
        """A condition on the row `contact` that holds exactly if this leaf's answer is `wanted`.

        It is used as one of several joined by `and`, where the planner turns `in` and `exists` into joins.
        """

    def select(self, sql: Sql) -> str | None:
        """A select of the contact ids that hold, repeated ones and deleted contacts allowed, if that is simpler
        than going through the contacts."""
        return None

    @abstractmethod
    def found(self, person: Person, world: World) -> Any:
        """What the answer is made from, for `explain`: a value, a count, yes or no. JSON can show it."""

    @abstractmethod
    def holds(self, person: Person, world: World) -> bool: ...


class PlainLeaf(Leaf, frozen=True):
    plain: ClassVar[bool] = True

    @abstractmethod
    def predicate(self, sql: Sql, contact: str) -> str:
        """True for a row that holds; false or null for the others."""

    def conjunct(self, sql: Sql, contact: str, wanted: bool) -> str:
        predicate = self.predicate(sql, contact)
        return predicate if wanted else f"({predicate}) is not true"


class Members(NamedTuple):
    """A set of contact ids: of those that hold or, if not `inside`, of those that do not."""

    select: str
    inside: bool = True


class SetLeaf(Leaf, frozen=True):
    """Looks at another table; those who have nothing in it are on one side of the answer."""

    @abstractmethod
    def members(self, sql: Sql) -> Members: ...

    def conjunct(self, sql: Sql, contact: str, wanted: bool) -> str:
        select, inside = self.members(sql)
        return in_set(sql, contact, select, wanted is inside)

    def select(self, sql: Sql) -> str | None:
        select, inside = self.members(sql)
        return select if inside else None


def in_set(sql: Sql, contact: str, select: str, wanted: bool) -> str:
    """A semi-join or, not wanted, an anti-join; `not in` would be neither."""
    if wanted:
        return f"{contact}.contact_id in ({select})"
    other = sql.alias()
    return f"not exists (select from ({select}) {other} where {other}.contact_id = {contact}.contact_id)"


NOBODY = "select contact_id from contact where false"


class Broken(PlainLeaf, frozen=True, tag="broken"):
    """A stored condition that names what is gone meanwhile, and therefore holds for nobody. Made by `expand`."""

    leaf: Leaf
    why: str

    def predicate(self, sql: Sql, contact: str) -> str:
        return "false"

    def found(self, person: Person, world: World) -> Any:
        return self.why

    def holds(self, person: Person, world: World) -> bool:
        return False
