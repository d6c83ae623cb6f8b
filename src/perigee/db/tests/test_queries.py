"""Every named query is understood by the real schema, and names the organisation it is about."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from psycopg._queries import PostgresQuery
from psycopg.adapt import Transformer

import perigee
from perigee.db.pool import Database
from perigee.db.queries import load

ROOT = Path(perigee.__file__).parent
PACKAGES = sorted(
    "perigee." + ".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.rglob("queries.sql")
)
ACROSS = re.compile(r"^-- across organisations: \S", re.MULTILINE)
TOUCHES_A_TABLE = re.compile(r"\b(from|into|update|join)\b", re.IGNORECASE)


def test_there_are_queries() -> None:
    assert "perigee.delivery" in PACKAGES


@pytest.mark.parametrize("package", PACKAGES)
async def test_every_query_prepares(db: Database, package: str) -> None:
    queries = load(package)
    async with db.connection() as connection:
        await connection.execute("select set_config('statement_timeout', '5s', false)")
        for name, text in queries.texts.items():
            names = dict.fromkeys(re.findall(r"(?<!%)%\((\w+)\)s", text))
            prepared = PostgresQuery(Transformer())
            prepared.convert(text.encode(), dict.fromkeys(names) if names else None)
            try:
                await connection.execute(b"prepare checked as " + prepared.query)
            except Exception as error:
                pytest.fail(f"{package} {name}: {error}")
            await connection.execute("deallocate checked")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_query_names_one_organisation(package: str) -> None:
    """The second fence between tenants: a statement without an org_id does not get past this test, unless it says
    why it must look across organisations."""
    for name, text in load(package).texts.items():
        code = re.sub(r"--[^\n]*", "", text)
        if not TOUCHES_A_TABLE.search(code):
            continue
        assert "%(org_id)s" in code or ACROSS.search(text), f"{package} {name} names no organisation"
