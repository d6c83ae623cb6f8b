"""The commands as a shell sees them: what they print, what they say when something is wrong, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from perigee.cli import COMMANDS
from perigee.cli.config import reference_page
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate
from perigee.settings import options


def perigee(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PERIGEE_")}
    return subprocess.run(
        [sys.executable, "-m", "perigee", *arguments],
        env={**kept, "PERIGEE_HOME": str(home), **settings},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a refusal."""
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line.removeprefix("perigee: ")


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = perigee("--help", home=tmp_path)
    assert done.returncode == 0
    for name, _, explained in COMMANDS:
        assert name in done.stdout
        assert explained in done.stdout


@pytest.mark.parametrize(("name", "where", "explained"), COMMANDS)
def test_every_command_is_where_the_list_says(name: str, where: str, explained: str) -> None:
    module, _, attribute = where.partition(":")
    assert callable(getattr(import_module(module), attribute))


def test_help_of_a_command_explains_it(tmp_path: Path) -> None:
    done = perigee("db", "dump", "--help", home=tmp_path)
    assert done.returncode == 0
    assert "must not exist" in done.stdout


def test_an_unknown_command_is_refused(tmp_path: Path) -> None:
    done = perigee("launch", home=tmp_path)
    assert done.returncode == 2
    assert 'Unknown command "launch"' in done.stderr


def test_config_shows_every_setting_and_hides_secrets(tmp_path: Path) -> None:
    done = perigee("config", home=tmp_path, PERIGEE_SECRET_KEY="s" * 40, PERIGEE_PORT="9000")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    for option in options():
        assert any(line.startswith(f"{option.variable}=") for line in lines)
    assert "PERIGEE_SECRET_KEY=********" in lines
    assert "PERIGEE_PORT=9000" in lines
    assert "PERIGEE_DATABASE_URL=" in lines
    assert "Default: 8025." in done.stdout


def test_the_reference_of_settings_is_current() -> None:
    page = Path(__file__).parents[4] / "docs" / "reference" / "settings.md"
    assert page.read_text() == reference_page(), (
        "run `./perigee config --markdown > docs/reference/settings.md`"
    )


def test_a_wrong_setting_is_one_line(tmp_path: Path) -> None:
    said = refused(perigee("config", home=tmp_path, PERIGEE_PORT="http"))
    assert said == "PERIGEE_PORT='http' must be a whole number"


def test_doctor_fails_when_something_does(tmp_path: Path) -> None:
    done = perigee("doctor", home=tmp_path, PERIGEE_DATABASE_URL="postgresql://127.0.0.1:1/x")
    assert done.returncode == 1
    assert any(line.startswith("fail database: ") for line in done.stdout.splitlines())


@pytest.mark.parametrize("command", ["serve", "worker", "migrate"])
def test_a_part_alone_says_how_to_start_the_database(tmp_path: Path, command: str) -> None:
    said = refused(perigee(command, home=tmp_path, PERIGEE_SECRET_KEY="s" * 40))
    assert "does not run: `perigee up` starts everything" in said


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_part_alone_does_not_make_a_secret_key(tmp_path: Path, database_url: str, command: str) -> None:
    said = refused(perigee(command, home=tmp_path, PERIGEE_DATABASE_URL=database_url))
    assert said.startswith("no secret key: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_part_alone_wants_a_migrated_database(server_home: Path, command: str) -> None:
    EmbeddedServer(server_home).start()
    said = refused(perigee(command, home=server_home, PERIGEE_SECRET_KEY="s" * 40))
    assert said.startswith("the database lacks ")
    assert said.endswith("run `perigee migrate`")


def test_migrate_tells_what_it_did(server_home: Path) -> None:
    EmbeddedServer(server_home).start()
    first = perigee("migrate", home=server_home)
    assert first.stdout.splitlines()[0].startswith("applied 0001.")
    assert first.stdout.splitlines()[-1] == "made the tables of the job queue"
    assert perigee("migrate", home=server_home).stdout == "nothing to do\n"


def test_the_database_alone(server_home: Path) -> None:
    server = EmbeddedServer(server_home)
    assert perigee("db", "start", home=server_home).stdout.strip() == server.url()
    assert server.is_running()
    assert perigee("db", "url", home=server_home).stdout.strip() == server.url()
    assert perigee("db", "stop", home=server_home).returncode == 0
    assert not server.is_running()


def test_an_external_database_is_not_ours_to_stop(tmp_path: Path, database_url: str) -> None:
    said = refused(perigee("db", "stop", home=tmp_path, PERIGEE_DATABASE_URL=database_url))
    assert said.startswith("PERIGEE_DATABASE_URL is set")


def test_a_dump_brings_everything_into_an_empty_database(
    database_url: str, server_home: Path, tmp_path: Path
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("create table kept as select generate_series(1, 10) as n")
    file = tmp_path / "all.dump"
    dumped = perigee("db", "dump", str(file), home=tmp_path, PERIGEE_DATABASE_URL=database_url)
    assert dumped.returncode == 0, dumped.stderr
    again = perigee("db", "dump", str(file), home=tmp_path, PERIGEE_DATABASE_URL=database_url)
    assert refused(again) == f"{file} exists already"

    restored = perigee("db", "restore", str(file), home=server_home)
    assert restored.returncode == 0, restored.stderr
    url = EmbeddedServer(server_home).url()
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from kept").fetchone() == (10,)
    assert migrate(url).applied == []
    said = refused(perigee("db", "restore", str(file), home=server_home))
    assert said.startswith("the database is not empty")
