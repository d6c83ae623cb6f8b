"""`schema.sql` is what the migrations arrive at."""

from __future__ import annotations

import psycopg
import pytest

from perigee.db.schema import SCHEMA_FILE, described, normalised, table_count


@pytest.fixture
def empty_url(database_url: str) -> str:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return database_url


def test_the_file_for_review_is_current(empty_url: str) -> None:
    assert SCHEMA_FILE.read_text() == described(empty_url), "run `./perigee db schema --write`"


def test_noise_is_left_out() -> None:
    dump = (
        "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET lock_timeout = 0;\n"
        "SELECT pg_catalog.set_config('search_path', '', false);\n\n--\n-- Name: t\n--\n\n"
        "CREATE TABLE public.t (\n    n integer\n);\n\n\n\n\\unrestrict abc\n"
    )
    assert normalised(dump) == "CREATE TABLE t (\n    n integer\n);\n"


def test_tables_are_counted(database_url: str, empty_url: str) -> None:
    assert table_count(empty_url) == 0
