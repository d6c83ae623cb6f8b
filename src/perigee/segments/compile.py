"""A condition tree read as one SQL statement with bound values. Pure. The other reading is `match`.

Names of tables and columns come from our own code, everything of the caller's is bound. Every part of the tree
ends up in a place where conditions are joined by `and`, so that each set is a semi-join or an anti-join which the
planner can start from, probe or hash as it likes:

- what looks only at the contact's own row (`plain`) is an ordinary expression;
- `all` gives its conditions one by one, `not` the opposite of one;
- `any` is `contact_id in (… union …)`, its plain conditions together in one of the selects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from perigee.segments.conditions import AnyOf, Exclude, Inlined, Not, children
from perigee.segments.leaves.leaf import Leaf, PlainLeaf, in_set
from perigee.segments.node import Node
from perigee.segments.sql import Sql, both
from perigee.segments.world import World


class Compiled(NamedTuple):
    """A statement for `Connection.execute`; run it with `prepare=False`, so that it is planned for its values."""

    sql: str
    values: Mapping[str, Any]


def compile_ids(tree: Node, world: World, *, prefix: str = "p") -> Compiled:
    """`select contact_id`: every living contact that holds, once, in no order. The tree must be expanded.

    `prefix` begins the names of its values, `org_id` excepted.
    """
    sql = Sql(world, prefix)
    return Compiled(_contacts(tree, sql), sql.values)


def compile_count(tree: Node, world: World) -> Compiled:
    """`select count`."""
    sql = Sql(world)
    return Compiled(f"select count(*) from ({_contacts(tree, sql)}) chosen", sql.values)


def compile_some(tree: Node, world: World, *, rows: int) -> Compiled:
    """`select contact_id` of any `rows` of them."""
    sql = Sql(world)
    return Compiled(f"{_contacts(tree, sql)} limit {sql.bind(rows, 'bigint')}", sql.values)


def compile_page(
    tree: Node, world: World, *, rows: int, after: int = 0, skip: int = 0, descending: bool = False
) -> Compiled:
    """`select contact_id` in the order of ids, at most `rows`: behind the id `after`, or behind `skip` others."""
    sql = Sql(world)
    contacts = _contacts(tree, sql)
    direction, beyond = ("desc", "<") if descending else ("asc", ">")
    behind = f"where contact_id {beyond} {sql.bind(after, 'bigint')}" if after else ""
    return Compiled(
        f"select contact_id from ({contacts}) chosen {behind} order by contact_id {direction} "
        f"limit {sql.bind(rows, 'bigint')} offset {sql.bind(skip, 'bigint')}",
        sql.values,
    )


def _contacts(tree: Node, sql: Sql) -> str:
    contact = sql.alias()
    conditions = [
        f"{contact}.org_id = {sql.org}",
        f"{contact}.deleted_at is null",
        *sql.among(f"{contact}.contact_id"),
        _conjunct(tree, sql, contact, True),
    ]
    return f"select {contact}.contact_id from contact {contact} where {both(conditions)}"


def _conjunct(tree: Node, sql: Sql, contact: str, wanted: bool) -> str:
    """One or more conditions joined by `and`, for the contacts whose answer is `wanted`."""
    match tree:
        case Leaf():
            return tree.conjunct(sql, contact, wanted)
        case Not():
            return _conjunct(tree.of, sql, contact, not wanted)
        case Inlined():
            return _conjunct(tree.of, sql, contact, wanted)
    if _plain(tree):
        expression = _expression(tree, sql, contact)
        return expression if wanted else f"({expression}) is not true"
    if isinstance(tree, AnyOf) is wanted:
        return in_set(sql, contact, _set(tree, sql), wanted)
    return " and ".join(_conjunct(part, sql, contact, wanted) for part in _parts(tree))


def _parts(tree: Node) -> list[Node]:
    if isinstance(tree, Exclude):
        return [tree.of, Not(tree.minus)]
    return [child for _, child in children(tree)]


def _set(tree: Node, sql: Sql) -> str:
    """A select of the contact ids that hold; some may come twice, deleted contacts may be among them."""
    if isinstance(tree, AnyOf):
        plain = [part for part in tree.of if _plain(part)]
        selects = [_set(part, sql) for part in tree.of if not _plain(part)]
        if plain:
            selects.append(_contacts(AnyOf(tuple(plain)), sql))
        return " union ".join(selects)
    if isinstance(tree, Inlined):
        return _set(tree.of, sql)
    own = tree.select(sql) if isinstance(tree, Leaf) else None
    return own or _contacts(tree, sql)


def _plain(tree: Node) -> bool:
    if isinstance(tree, Leaf):
        return tree.plain
    return all(_plain(child) for _, child in children(tree))


def _expression(tree: Node, sql: Sql, contact: str) -> str:
    """A plain tree as one expression: true for a row that holds, false or null for the others."""
    match tree:
        case PlainLeaf():
            return tree.predicate(sql, contact)
        case Not():
            return f"({_expression(tree.of, sql, contact)}) is not true"
        case Inlined():
            return _expression(tree.of, sql, contact)
    word = " or " if isinstance(tree, AnyOf) else " and "
    return "(" + word.join(_expression(part, sql, contact) for part in _parts(tree)) + ")"
