"""One populated database for all tests that only read conditions, and a small shop for those that write."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest

from perigee.db.embedded import EmbeddedServer
from perigee.db.pool import Connection, Database
from perigee.segments.tests import cast
from perigee.segments.tests.population import (
    CAMPAIGNS,
    CATEGORIES,
    EVENT_TYPES,
    FIELDS,
    LISTS,
    MESSAGES,
    MOMENT,
    ORG,
    SITE_TYPES,
    populate,
)
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
def cast_url(_server: EmbeddedServer, _admin: psycopg.Connection[Any]) -> Iterator[str]:
    """Url of a database with the cast; nobody may write to it."""
    name = f"test_cast_{os.getpid()}"
    _admin.execute(f"create database {name} template perigee strategy file_copy".encode())
    with psycopg.connect(_server.url(name)) as connection:
        cast.enter(connection)
    yield _server.url(name)
    _admin.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="session")
def world() -> World:
    """What the conditions of the made-up organisation may name."""
    catalogue = Catalogue(
        currency="UAH",
        fields=FIELDS,
        event_types=EVENT_TYPES | SITE_TYPES,
        categories=CATEGORIES,
        campaigns=frozenset(CAMPAIGNS),
        messages=frozenset(MESSAGES),
        lists=frozenset(LISTS),
    )
    return World(ORG, MOMENT, catalogue)


class Shop:
    """An organisation with a few contacts, and a connection to its database in a transaction that stays open."""

    def __init__(self, conn: Connection, org_id: int) -> None:
        self.conn = conn
        self.org_id = org_id

    async def add(self, count: int = 1, *, town: str | None = None, deleted: bool = False) -> list[int]:
        """Contacts with external ids `ext<contact id>`."""
        rows = await self.rows(
            "insert into contact (org_id, town, deleted_at) "
            "select %(org_id)s, %(town)s, case when %(deleted)s then now() end from generate_series(1, %(count)s) "
            "returning contact_id",
            town=town,
            deleted=deleted,
            count=count,
        )
        ids = [row[0] for row in rows]
        await self.rows(
            "update contact set external_id = 'ext' || contact_id "
            "where org_id = %(org_id)s and contact_id = any(%(ids)s) returning 1",
            ids=ids,
        )
        return ids

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        cursor = await self.conn.execute(query.encode(), {"org_id": self.org_id, **values})
        return await cursor.fetchall()

    async def in_list(self, segment_id: int) -> list[int]:
        rows = await self.rows(
            "select contact_id from segment_member where org_id = %(org_id)s and segment_id = %(id)s order by 1",
            id=segment_id,
        )
        return [row[0] for row in rows]

    async def other(self) -> Shop:
        """Another organisation in the same database."""
        cursor = await self.conn.execute("insert into organisation (name) values ('Other') returning org_id")
        row = await cursor.fetchone()
        assert row is not None
        return Shop(self.conn, row[0])


@pytest.fixture
async def shop(db: Database) -> AsyncIterator[Shop]:
    async with db.transaction() as conn:
        cursor = await conn.execute(
            "insert into organisation (name, time_zone, currency) values ('Shop', 'Europe/Kyiv', 'UAH') returning org_id"
        )
        row = await cursor.fetchone()
        assert row is not None
        yield Shop(conn, row[0])
