"""One populated database for all tests that only read conditions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from perigee.db.embedded import EmbeddedServer
from perigee.segments.tests.population import CATEGORIES, EVENT_TYPES, FIELDS, LISTS, MOMENT, ORG, populate
from perigee.segments.world import Catalogue, World


@pytest.fixture(scope="session")
def populated(_server: EmbeddedServer, _admin: psycopg.Connection[Any]) -> Iterator[str]:
    """Url of a database with the made-up people; nobody may write to it."""
    name = f"test_segments_{os.getpid()}"
    _admin.execute(f"create database {name} template perigee strategy file_copy".encode())
    with psycopg.connect(_server.url(name)) as connection:
        populate(connection)
    yield _server.url(name)
    _admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def world() -> World:
    """What the conditions of the made-up organisation may name."""
    catalogue = Catalogue(
        currency="UAH",
        fields=FIELDS,
        event_types=EVENT_TYPES,
        categories=CATEGORIES,
        lists=frozenset(LISTS),
    )
    return World(ORG, MOMENT, catalogue)
