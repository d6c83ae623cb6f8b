"""What compiled SQL is made of."""

from __future__ import annotations

import re

from hypothesis import given, settings

from perigee.segments.compile import compile_count, compile_ids, compile_page
from perigee.segments.conditions import All, AnyOf, read
from perigee.segments.expand import expand
from perigee.segments.leaves.addresses import EmailDomainLeaf
from perigee.segments.node import Node
from perigee.segments.person import PRODUCT_ID_NAMES
from perigee.segments.tests.strategies import trees
from perigee.segments.values import _NUMERIC
from perigee.segments.world import World

# All constants of ours: numbers and texts, names excepted.
OUR_TEXTS = {"", "@", "-", "MM-DD", "null", "[]", '""', "{}", "number", "machine", f"^{_NUMERIC.pattern}$"}
# Parameters of the site's events and their members (TRACKING 3).
OUR_TEXTS |= {
    "page",
    "location",
    "category",
    "productCategoryId",
    "search",
    "product",
    "products",
    "price",
    "quantity",
}
OUR_TEXTS |= set(PRODUCT_ID_NAMES)
OUR_NUMBERS = {"0", "1", "2", "4", "6", "10", "100"}

_PLACEHOLDER = re.compile(r"%\((\w+)\)s::[a-z]+(?:\[\])?")
_TEXT = re.compile(r"'((?:[^']|'')*)'")
_WORD = re.compile(r"\b\w+\b")


@settings(max_examples=300, deadline=None)
@given(tree=trees())
def test_no_constant_of_the_caller_is_in_the_text(tree: Node, world: World) -> None:
    compiled = compile_ids(expand(tree, world.catalogue), world)
    assert {match[1] for match in _PLACEHOLDER.finditer(compiled.sql)} <= set(compiled.values)

    text = _PLACEHOLDER.sub(" ", compiled.sql)
    assert set(_TEXT.findall(text)) <= OUR_TEXTS
    words = _WORD.findall(_TEXT.sub(" ", text))
    assert {word for word in words if word[0].isdecimal()} <= OUR_NUMBERS
    assert all((word.isascii() and word == word.lower()) or word == "C" for word in words)


@settings(max_examples=100, deadline=None)
@given(tree=trees())
def test_every_reading_of_a_table_names_the_organisation(tree: Node, world: World) -> None:
    sql = compile_ids(expand(tree, world.catalogue), world).sql
    readings = re.findall(r"from (\w+) (t\d+)", sql)
    assert readings
    for _, alias in readings:
        assert f"{alias}.org_id = %(org_id)s::bigint" in sql


def test_what_somebody_writes_as_sql_stays_a_value(world: World) -> None:
    attack = "x'; drop table contact; --"
    tree = All(
        (
            EmailDomainLeaf((attack,)),
            read({"is": "field", "field": "town", "test": {"op": "contains", "value": attack}}),
        )
    )
    for compiled in (compile_ids(tree, world), compile_count(tree, world), compile_page(tree, world, rows=1)):
        assert "drop" not in compiled.sql
        assert attack in compiled.values.values()


def test_plain_conditions_of_an_any_share_one_reading_of_the_contacts(world: World) -> None:
    town = read({"is": "field", "field": "town", "test": {"op": "filled"}})
    sql = compile_ids(AnyOf((town, read({"is": "segment", "id": 701}), town, town)), world).sql
    assert sql.count("from contact ") == 2
    assert sql.count(" union ") == 1
