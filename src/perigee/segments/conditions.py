"""The condition tree of a segment: its grammar, its limits, reading and writing it. Pure.

    {"is": "all", "of": [
        {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}},
        {"is": "not", "of": {"is": "field", "field": "town", "test": {"op": "equals", "value": "Kyiv"}}}]}

`all` and `any` join, `not` negates one condition or a whole card, `exclude` takes people away. The rest are single
conditions, a class each in `leaves/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Union

import msgspec

from perigee.errors import Invalid
from perigee.lib import json_edge
from perigee.lib.text import clean_json
from perigee.segments.leaves.addresses import AddressStateLeaf, EmailDomainLeaf, HasAddressLeaf
from perigee.segments.leaves.bought import BoughtLeaf
from perigee.segments.leaves.cart import AbandonedLeaf, CartLeaf
from perigee.segments.leaves.events import EventLeaf
from perigee.segments.leaves.fields import AdditionalLeaf, FieldLeaf
from perigee.segments.leaves.leaf import Leaf, NameKind
from perigee.segments.leaves.location import LanguageLeaf, PhoneCountryLeaf
from perigee.segments.leaves.membership import CategoryLeaf, SegmentLeaf
from perigee.segments.leaves.message_rates import MessageRateLeaf
from perigee.segments.leaves.messages import MessageLeaf, MessageTimeLeaf
from perigee.segments.leaves.orders import OrdersLeaf
from perigee.segments.leaves.product_change import ProductChangeLeaf
from perigee.segments.leaves.regular_demand import RegularDemandLeaf
from perigee.segments.leaves.rfm import RfmLeaf
from perigee.segments.leaves.site import SiteLeaf
from perigee.segments.leaves.tokens import TokenLeaf
from perigee.segments.node import Node
from perigee.segments.world import Catalogue

MAX_DEPTH = 8
MAX_CONDITIONS = 200
MAX_BYTES = 256 * 1024


class All(Node, frozen=True, tag="all"):
    of: tuple[Condition, ...]


class AnyOf(Node, frozen=True, tag="any"):
    of: tuple[Condition, ...]


class Not(Node, frozen=True, tag="not"):
    of: Condition


class Exclude(Node, frozen=True, tag="exclude"):
    """Who is in `of` and not in `minus`."""

    of: Condition
    minus: Condition


Condition = Union[  # noqa: UP007  # msgspec resolves the forward references through this name
    All,
    AnyOf,
    Not,
    Exclude,
    FieldLeaf,
    AdditionalLeaf,
    HasAddressLeaf,
    EmailDomainLeaf,
    AddressStateLeaf,
    TokenLeaf,
    LanguageLeaf,
    PhoneCountryLeaf,
    SegmentLeaf,
    CategoryLeaf,
    OrdersLeaf,
    BoughtLeaf,
    EventLeaf,
    SiteLeaf,
    CartLeaf,
    AbandonedLeaf,
    ProductChangeLeaf,
    RegularDemandLeaf,
    RfmLeaf,
    MessageLeaf,
    MessageTimeLeaf,
    MessageRateLeaf,
]
"""Every condition there is."""


_decode = msgspec.json.Decoder(Condition).decode


class Inlined(Node, frozen=True, tag="segment"):
    """A dynamic segment in the place where another one names it; made by `expand`, never read from JSON."""

    id: int
    of: Condition


def parse(data: bytes) -> Condition:
    """A condition from its JSON. Raises Invalid naming path, value and rule."""
    if len(data) > MAX_BYTES:
        raise Invalid(f"condition: is longer than {MAX_BYTES // 1024} KB", field="condition")
    return read(json_edge.decode(data))


def read(decoded: Any) -> Condition:
    """A condition from decoded JSON. Raises Invalid naming path, value and rule; limits included."""
    try:
        tree: Condition = msgspec.convert(clean_json(decoded), Condition)
    except RecursionError:
        raise Invalid(f"condition: is nested deeper than {MAX_DEPTH} levels", field="condition") from None
    except msgspec.ValidationError as error:
        raise _invalid(decoded, str(error)) from None
    _check_limits(tree)
    return tree


def parse_stored(text: str) -> Condition:
    """A condition from the database, where only checked ones are."""
    tree: Condition = _decode(text)
    return tree


def dump(tree: Node) -> str:
    """The JSON text that `parse` reads; defaults are left out."""
    return msgspec.json.encode(tree).decode()


def check(tree: Node, catalogue: Catalogue) -> None:
    """Raises Invalid for a name that is not in the catalogue, or a comparison that is not of its value's kind."""
    for at, node in walk(tree):
        if isinstance(node, Leaf):
            node.check(at, catalogue)


def children(node: Node) -> list[tuple[str, Node]]:
    """The nodes directly below, each with the member that holds it."""
    match node:
        case All() | AnyOf():
            return [(f"of[{n}]", child) for n, child in enumerate(node.of)]
        case Not() | Inlined():
            return [("of", node.of)]
        case Exclude():
            return [("of", node.of), ("minus", node.minus)]
    return []


def walk(tree: Node, at: str = "condition") -> Iterator[tuple[str, Node]]:
    """Every node with its path, from the top."""
    yield at, tree
    for member, child in children(tree):
        yield from walk(child, f"{at}.{member}")


def names(tree: Node, kind: NameKind) -> set[Any]:
    """What of one kind the tree names itself: ids of segments and fields, keys of the others."""
    leaves = [node for _, node in walk(tree) if isinstance(node, Leaf)]
    return {name for leaf in leaves for of, name in leaf.names() if of == kind}


def _check_limits(tree: Node) -> None:
    conditions = 0
    for at, node in walk(tree):
        if len(re.findall(r"\.(?:of|minus)", at)) >= MAX_DEPTH:
            raise Invalid(f"{at}: is nested deeper than {MAX_DEPTH} levels", field=at)
        conditions += isinstance(node, Leaf)
        if isinstance(node, All | AnyOf) and not node.of:
            raise Invalid(f"{at}.of: must hold at least one condition", field=f"{at}.of")
    if conditions > MAX_CONDITIONS:
        raise Invalid(
            f"condition: holds {conditions} conditions, the most are {MAX_CONDITIONS}", field="condition"
        )


_PATH = re.compile(r" - at `\$(.*)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def _invalid(decoded: Any, message: str) -> Invalid:
    """msgspec says `rule - at path`; the value is looked up."""
    found = _PATH.search(message)
    path = found[1] if found else ""
    value = decoded
    for name, number in _STEP.findall(path):
        try:
            value = value[name] if name else value[int(number)]
        except (KeyError, IndexError, TypeError):
            break
    rule = _PATH.sub("", message)
    if rule.endswith("missing required field `is`"):
        rule += """, as in {"is": "any", "of": [...]}"""
    shown = msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
    return Invalid.of(f"condition{path}", shown, rule[:1].lower() + rule[1:])
