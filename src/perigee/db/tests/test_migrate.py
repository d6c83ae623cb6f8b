"""Migrations: in order, once, together with their record, by one process at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from perigee.db import migrate as module
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate, pending_migrations, require_migrated, server_version
from perigee.errors import OperatorError


@pytest.fixture
def empty_url(database_url: str) -> str:
    """A database without any schema."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return database_url


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name.lstrip('m').replace('_', '.', 1)}.sql").write_text(text)
    return folder


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'")
        return {str(row[0]) for row in rows}


def test_a_new_database_gets_every_table_and_the_job_queue(empty_url: str) -> None:
    done = migrate(empty_url)
    assert done.applied == sorted(done.applied)
    assert done.applied[0].startswith("0001.")
    assert done.queue_made
    assert {"organisation", "contact", "procrastinate_jobs"} <= tables(empty_url)


def test_the_second_run_finds_nothing_to_do(database_url: str) -> None:
    assert migrate(database_url) == module.Migrated([], False)
    assert pending_migrations(database_url) == []


def test_what_is_pending_is_told_without_changing_anything(empty_url: str) -> None:
    pending = pending_migrations(empty_url)
    assert pending[0].startswith("0001.")
    assert tables(empty_url) == set()
    with pytest.raises(OperatorError, match=r"lacks \d+ migrations \(0001\..* run `perigee migrate`"):
        require_migrated(empty_url)
    assert migrate(empty_url).applied == pending
    require_migrated(empty_url)


def test_file_names_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in module._folder().glob("*.sql"))
    assert [int(name.split(".")[0]) for name in names] == list(range(1, len(names) + 1))


def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: migrate(empty_url), range(4)))
    assert len([run for run in runs if run.applied]) == 1
    assert len([run for run in runs if run.queue_made]) == 1


def test_a_failing_migration_leaves_nothing_and_can_be_mended(empty_url: str, tmp_path: Path) -> None:
    write(tmp_path, m0001_a="create table a (n int);", m0002_b="create table b (n int);\nselect 1/0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_url, folder=tmp_path)
    assert {"a", "b"} & tables(empty_url) == {"a"}
    write(tmp_path, m0002_b="create table b (n int);")
    assert migrate(empty_url, folder=tmp_path).applied == ["0002.b"]
    assert {"a", "b"} <= tables(empty_url)


def test_functions_percent_signs_and_comments_pass_unharmed(empty_url: str, tmp_path: Path) -> None:
    text = (
        "-- why: a test;\ncreate function half(n int) returns int language plpgsql as $$\n"
        "begin\n  -- not 100%; really :name\n  return n / 2;\nend $$;\n"
        "create table t (x text check (x like '%;%' or x <> ':y'));"
    )
    migrate(empty_url, folder=write(tmp_path, m0001_f=text), queue=False)
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("select half(8)").fetchone() == (4,)


def test_an_index_can_be_built_while_another_process_waits(empty_url: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        m0001_t="create table t (n int);",
        m0002_i="-- transactional: false\ncreate index concurrently t_n on t (n);",
    )
    with ThreadPoolExecutor(2) as threads:
        runs = list(threads.map(lambda _: migrate(empty_url, folder=tmp_path, queue=False), range(2)))
    assert sorted(len(run.applied) for run in runs) == [0, 2]


def test_a_lock_held_by_somebody_is_not_waited_for_without_limit(
    empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOCK_TIMEOUT", "10ms")
    monkeypatch.setattr(module, "_TRIES", 1)
    migrate(empty_url, folder=write(tmp_path, m0001_t="create table t (n int);"), queue=False)
    write(tmp_path, m0002_t="alter table t add m int;")
    with psycopg.connect(empty_url) as holder:
        holder.execute("select * from t")
        with pytest.raises(OperatorError, match=r"0002\.t found its tables locked"):
            migrate(empty_url, folder=tmp_path, queue=False)
    assert migrate(empty_url, folder=tmp_path, queue=False).applied == ["0002.t"]


def test_a_database_of_a_newer_perigee_is_refused(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "insert into _yoyo_migration (migration_hash, migration_id) values ('x', '9999.from_the_future')"
        )
    with pytest.raises(OperatorError, match=r"newer Perigee \(9999.from_the_future"):
        migrate(database_url)
    with pytest.raises(OperatorError, match="newer Perigee"):
        require_migrated(database_url)


def test_an_old_server_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OLDEST_SERVER", 99)
    with pytest.raises(
        OperatorError, match=r"^the database is PostgreSQL 18\.\d+; Perigee needs 99 or newer$"
    ):
        server_version(database_url)


def test_a_server_that_is_away_is_said_in_one_line(server_home: Path) -> None:
    with pytest.raises(OperatorError, match=r"^the database does not answer: ") as caught:
        migrate(EmbeddedServer(server_home).url())
    assert "\n" not in str(caught.value)


def test_an_address_that_is_none_is_said_in_one_line() -> None:
    with pytest.raises(OperatorError, match="PERIGEE_DATABASE_URL cannot be read"):
        migrate("postgresql://h/d?nonsense=1")
