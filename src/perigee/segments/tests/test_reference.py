"""docs/reference/segments.md shows every condition, every member and operator; its examples run, and mean one thing."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from perigee.db.pool import Connection, Database
from perigee.segments.compile import compile_ids
from perigee.segments.conditions import Condition, read
from perigee.segments.dates import Day, Instant
from perigee.segments.explain import explain
from perigee.segments.facts import load_people
from perigee.segments.leaves.addresses import STATES
from perigee.segments.leaves.counting import COUNT
from perigee.segments.leaves.fields import COLUMNS
from perigee.segments.leaves.happenings import SOURCES
from perigee.segments.match import match, needs
from perigee.segments.reading import read_tree
from perigee.segments.tests.cast import NAMES, ORG
from perigee.segments.tests.population import MOMENT
from perigee.segments.values import Choices, Number, Text

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "segments.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
KINDS = get_args(Condition)


@pytest.fixture(scope="module")
async def conn(cast_url: str) -> AsyncIterator[Connection]:
    async with Database(cast_url) as database, database.connection() as connection:
        yield connection


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
async def test_an_example_is_accepted_and_finds_the_same_people_in_both_readings(
    example: Any, conn: Connection
) -> None:
    tree, world = await read_tree(conn, ORG, read(example), MOMENT.now, strict=True)
    compiled = compile_ids(tree, world)
    rows = await (await conn.execute(compiled.sql.encode(), compiled.values)).fetchall()

    people = await load_people(conn, ORG, list(NAMES), needs(tree, world.catalogue))
    matching = [number for number, person in people.items() if match(tree, person, world)]
    assert sorted(number for (number,) in rows) == sorted(matching)
    assert all(msgspec.json.encode(explain(tree, person, world)) for person in people.values())


def test_every_condition_has_an_example() -> None:
    shown = set(re.findall(r'"is": "(\w+)"', PAGE))
    assert shown == {kind.__struct_config__.tag for kind in KINDS}


def words() -> set[str]:
    return set(re.findall(r"`(\w+)`", PAGE)) | set(re.findall(r'"(\w+)"', PAGE))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__struct_config__.tag)
def test_every_member_of_a_condition_is_on_the_page(kind: type[msgspec.Struct]) -> None:
    assert {field.encode_name for field in msgspec.structs.fields(kind)} <= words()


def test_every_name_of_the_catalogue_is_on_the_page() -> None:
    kinds = (Text(folded=True), Number(), COUNT, Day(), Instant(), Choices())
    operators = {operator for kind in kinds for operator in kind.operators}
    for names in (operators, set(COLUMNS), set(STATES), set(SOURCES)):
        assert names <= words()
