"""`perigee db …`: the database itself. Everything but `start` and `stop` works on an external server too."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import cyclopts

from perigee.cli.start import start as load_settings
from perigee.db import schema as schema_module
from perigee.db.binaries import wheel_binaries
from perigee.db.embedded import EmbeddedServer, database_url
from perigee.db.migrate import server_version
from perigee.errors import OperatorError

app = cyclopts.App(name="db", help="The database: start, stop, shell, dump, restore, schema.")


@app.command
def start() -> None:
    """Start the embedded database alone; it runs on until `perigee db stop`."""
    print(_embedded().start())


@app.command
def stop() -> None:
    """Stop the embedded database."""
    _embedded().stop()


@app.command
def url() -> None:
    """Print the address of the database, for other PostgreSQL programs."""
    print(database_url(load_settings()))


@app.command
def shell() -> None:
    """Open psql on the database."""
    os.execv(_program("psql"), ["psql", database_url(load_settings())])  # noqa: S606


@app.command
def dump(file: Path) -> None:
    """Write the whole database into a file that `restore` reads.

    Parameters
    ----------
    file
        Where to write; must not exist.
    """
    if file.exists():
        raise OperatorError(f"{file} exists already")
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={file}", database_url(load_settings()))
    print(f"wrote {file}; keep the secret key with it, secrets in the database are sealed with it")


@app.command
def restore(file: Path) -> None:
    """Read a dump into an empty database, then migrate.

    Parameters
    ----------
    file
        What `dump` wrote.
    """
    settings = load_settings()
    target = settings.database_url or _embedded().start()
    server_version(target)
    if schema_module.table_count(target):
        raise OperatorError("the database is not empty; a dump is only restored into an empty one")
    _run(
        "pg_restore", "--exit-on-error", "--no-owner", "--single-transaction", f"--dbname={target}", str(file)
    )
    print("restored; `perigee migrate` or `perigee up` brings it to this version")


@app.command
def schema(*, write: bool = False) -> None:
    """Print the schema that the migrations make, in a form to read and compare.

    Parameters
    ----------
    write
        Write it into the source tree (src/perigee/db/schema.sql) instead.
    """
    text = schema_module.current_schema()
    if write:
        schema_module.SCHEMA_FILE.write_text(text)
    else:
        print(text, end="")


def _embedded() -> EmbeddedServer:
    settings = load_settings()
    if settings.database_url:
        raise OperatorError("PERIGEE_DATABASE_URL is set, so the database is not ours to start and stop")
    return EmbeddedServer(settings.home)


def _program(name: str) -> str:
    return str(wheel_binaries().program(name))


def _run(name: str, *arguments: str) -> None:
    if subprocess.run([_program(name), *arguments], check=False).returncode:  # noqa: S603
        raise OperatorError(f"{name} failed; the reason stands above")
