"""docs/reference/segments.md shows every condition, every operator, and nothing that is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from perigee.segments.compile import compile_ids
from perigee.segments.conditions import Condition, check, read
from perigee.segments.dates import Day, Instant
from perigee.segments.expand import expand
from perigee.segments.leaves.addresses import STATES
from perigee.segments.leaves.counting import COUNT
from perigee.segments.leaves.fields import COLUMNS
from perigee.segments.leaves.messages import SOURCES
from perigee.segments.tests.cast import CATALOGUE, IN_KYIV, ORG
from perigee.segments.tests.population import MOMENT
from perigee.segments.values import Choices, Number, Text
from perigee.segments.world import Catalogue, World

PAGE = (Path(__file__).parents[4] / "docs" / "reference" / "segments.md").read_text()
EXAMPLES = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
RULES = {IN_KYIV: read({"is": "has_address", "kind": "email"})}
WORLD = World(
    ORG,
    MOMENT,
    Catalogue(
        fields=CATALOGUE.fields,
        event_types=CATALOGUE.event_types,
        categories=CATALOGUE.categories,
        lists=CATALOGUE.lists,
        rules=RULES,
    ),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_accepted(example: Any) -> None:
    tree = read(example)
    check(tree, WORLD.catalogue)
    assert compile_ids(expand(tree, WORLD.catalogue), WORLD).sql.startswith("select ")


def test_every_condition_has_an_example() -> None:
    shown = set(re.findall(r'"is": "(\w+)"', PAGE))
    assert shown == {kind.__struct_config__.tag for kind in get_args(Condition)}


def test_every_name_of_the_catalogue_is_on_the_page() -> None:
    words = set(re.findall(r"`(\w+)`", PAGE)) | set(re.findall(r'"(\w+)"', PAGE))
    kinds = (Text(folded=True), Number(), COUNT, Day(), Instant(), Choices())
    operators = {operator for kind in kinds for operator in kind.operators}
    for names in (operators, set(COLUMNS), set(STATES), set(SOURCES)):
        assert names <= words
