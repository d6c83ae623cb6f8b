"""What the commands share that speak to a server: its address, the key, how answers and errors are shown.

Exit codes: 0 done; 1 no server, no key, or a file that cannot be read; 2 a command that does not exist so; 3 done in
part, some elements were refused; 4 the server refused.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from perigee.client import ApiError, Client, ClientError
from perigee.errors import OperatorError
from perigee.settings import default_home

T = TypeVar("T")

URL, KEY = "PERIGEE_URL", "PERIGEE_API_KEY"
IN_PART, REFUSED = 3, 4


@Parameter(name="*", group="Server")
@dataclass(frozen=True)
class Server:
    """Where the server is.

    Parameters
    ----------
    url
        Address of the server, without /api. Else PERIGEE_URL, else what the first start noted in cli.toml.
    key
        API key. Better in PERIGEE_API_KEY than here, where other users of the machine may see it.
    json
        Print the answer as JSON, for scripts.
    """

    url: str | None = None
    key: str | None = None
    json: Annotated[bool, Parameter(negative="")] = False


HERE = Server()
TextFile = Annotated[Path, Parameter(allow_leading_hyphen=True)]
"""A file to read; `-` is standard input (`read_text`)."""
console = Console(soft_wrap=True, highlight=False)


@contextlib.contextmanager
def connected(server: Server) -> Iterator[Client]:
    """A client; what the server refuses, and that there is none, ends the command with one line."""
    url, key = _whereabouts(server)
    try:
        with contextlib.closing(Client(url, key)) as client:
            yield client
    except ApiError as error:
        field = f" ({error.field})" if error.field and error.field not in error.message else ""
        print(f"perigee: {error.message}{field}", file=sys.stderr)
        raise SystemExit(REFUSED) from None
    except ClientError as error:
        raise OperatorError(str(error)) from None


def _whereabouts(server: Server) -> tuple[str, str]:
    noted = _noted()
    url = server.url or os.environ.get(URL) or noted.get("url")
    key = server.key or os.environ.get(KEY)
    if not key and noted.get("url") == url:
        key = noted.get("key")  # the noted key is sent to the noted address only
    if not url:
        raise OperatorError(f"no server is known: `perigee up` starts one here, --url or {URL} names another")
    if not key:
        raise OperatorError(f"no API key for {url}: give it with {KEY} or --key")
    return str(url), str(key)


def read_text(file: Path) -> str:
    """A text file the user names; `-` is standard input."""
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OperatorError(f"{file} is not UTF-8 text") from None


# -- cli.toml


def read_json(where: str, text: str, kind: type[T]) -> T:
    """Raises OperatorError that says what of it is wrong."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.MsgspecError as error:
        raise OperatorError(f"{where}: {error}") from None


def _note_file(home: Path) -> Path:
    return home / "cli.toml"


def _noted() -> dict[str, Any]:
    return _read_note(_note_file(Path(os.environ.get("PERIGEE_HOME") or default_home()).expanduser()))


def _read_note(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise OperatorError(f"{path} cannot be read: {error}") from None


def remember(home: Path, url: str, key: str | None) -> None:
    """Notes where the server of this home is and the key of its first start, readable by its owner only, so that
    commands on this machine need neither. Without a key the one noted before stays; without that one nothing is."""
    path = _note_file(home)
    if key is None and (key := _read_note(path).get("key")) is None:
        return
    fresh = path.with_name("cli.toml.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("# Where the commands of `perigee` find the server, and the API key of its first start.\n")
        # A string of JSON is a string of TOML.
        file.write(f"url = {msgspec.json.encode(url).decode()}\nkey = {msgspec.json.encode(key).decode()}\n")
    fresh.replace(path)


# -- output


def show_json(value: Any) -> None:
    print(msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2).decode())


def show_table(columns: list[str], rows: list[list[Any]], *, empty: str) -> None:
    """Rows for people; `empty` is said when there are none."""
    if not rows:
        console.print(empty, style="dim")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for number, name in enumerate(columns):
        is_number = all(isinstance(row[number], int | float) for row in rows)
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    Console(highlight=False).print(table)


def show_facts(facts: dict[str, Any]) -> None:
    """Name and value, line by line; what has no value is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if value not in (None, "", [], {}):
            table.add_row(name, _cell(value))
    Console(highlight=False).print(table, markup=False)


def _cell(value: Any) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    if isinstance(value, dict):
        return ", ".join(f"{escape(str(name))} {_cell(count)}" for name, count in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value))
    return escape(printable(str(value)))


def people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def printable(text: str) -> str:
    """Text of strangers must not steer the terminal."""
    lines = text.replace("\r\n", "\n")
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in lines)
