"""The seam between the machinery of imports and what is imported (contacts, orders …).

A `Kind` names what columns can mean and opens a `Run` for one import; the run cleans blocks of rows outside of any
transaction and applies them in the machinery's. A step that loses a race is applied again, so `apply` keeps no state;
`committed` is called once for each step that lasts, also, after a crash, for those of an earlier worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Final, Protocol

from perigee.accounts.rights import Right
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.imports.erased import Owner
from perigee.imports.types import Applied, Block, Cleaned, Import, Plan, Target


class Run(Protocol):
    """One import under way, or one preview."""

    together: int | None
    """Place of a column: neighbours with the same value in it come in one block."""

    def clean(self, block: Block) -> Cleaned:
        """Pure, and called in a thread. A refused row or value is a remark."""
        ...

    def owners(self, cleaned: Cleaned) -> Sequence[Owner]:
        """Whom each item is about."""
        ...

    async def apply(self, conn: Connection, cleaned: Cleaned) -> Applied:
        """In the transaction of the step."""
        ...

    def committed(self, ids: Sequence[int]) -> None:
        """The step that touched these lasts."""
        ...

    async def finish(self, conn: Connection, done: Import) -> None:
        """In the transaction that ends the import."""
        ...


class Kind(Protocol):
    name: str
    right: Right
    """What a key must be allowed to bring such a file."""

    async def targets(self, conn: Connection, org_id: int) -> Sequence[Target]: ...

    async def prepare(self, conn: Connection, org_id: int, given: Import, plan: Plan) -> Plan:
        """Once, when the import is started: checks the options and makes what they name (lists). The mapping names
        columns by place and existing targets by then. Raises Invalid."""
        ...

    async def open(self, conn: Connection, org_id: int, plan: Plan) -> Run:
        """Raises Invalid for a plan that cannot be used."""
        ...


KINDS: Final = {"contacts": "perigee.imports.people.kind", "orders": "perigee.imports.orders.kind"}
"""Kinds by name → the module whose `KIND` it is."""


def kind_of(name: str) -> Kind:
    """Raises Invalid for a name that is none."""
    if name not in KINDS:
        raise Invalid.of("kind", name, "must be one of " + ", ".join(KINDS))
    found: Kind = import_module(KINDS[name]).KIND
    return found
