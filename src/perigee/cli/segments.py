"""`perigee segments …`: lists and dynamic segments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import msgspec
from cyclopts import Parameter
from msgspec import UNSET, UnsetType

from perigee.cli import exports
from perigee.cli.remote import (
    HERE,
    Server,
    TextFile,
    connected,
    console,
    people,
    read_text,
    show_json,
    show_table,
)
from perigee.cli.segment_actions import add_commands
from perigee.errors import OperatorError
from perigee.exports.types import ExportCreate
from perigee.segments.explain import Explained
from perigee.segments.types import Segment

app = cyclopts.App(
    name="segments", help="Segments: list them, make one, count its people, put people on a list."
)
add_commands(app)

Condition = Annotated[str, Parameter(allow_leading_hyphen=True)]
Ids = Annotated[list[int] | None, Parameter(name="--id", negative="", consume_multiple=True)]
ExternalIds = Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)]


@app.command(name="list")
def list_segments(*, name: str | None = None, server: Server = HERE) -> None:
    """List all segments.

    Parameters
    ----------
    name
        Only those with this in their names.
    """
    with connected(server) as client:
        found = client.list_segments(name=name)
    if server.json:
        show_json(found)
        return
    rows = [[one.segment_id, one.name, one.kind, *_standing(one), one.created_at] for one in found]
    head = ["Id", "Name", "Kind", "People", "Right up to", "State", "Made"]
    show_table(head, rows, empty="There are no segments.")


@app.command
def create(name: str, /, *, condition: Condition | None = None, server: Server = HERE) -> None:
    """Make a list or, with a condition, a dynamic segment.

    Parameters
    ----------
    name
        Its name.
    condition
        A condition tree as JSON, a file that holds one, or - for standard input:
        {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}
    """
    tree = None if condition is None else _condition(condition)
    with connected(server) as client:
        made = client.create_list(name) if tree is None else client.create_dynamic_segment(name, tree)
        if server.json:
            show_json(made)
            return
        held = client.count_segment(made.segment_id)
    console.print(f"segment {made.segment_id} holds {people(held)}")


@app.command
def count(segment_id: int, /, *, server: Server = HERE) -> None:
    """Count the people who are in a segment now.

    Parameters
    ----------
    segment_id
        The segment's id.
    """
    with connected(server) as client:
        held = client.count_segment(segment_id)
    if server.json:
        show_json({"segment_id": segment_id, "count": held})
    else:
        print(held)


@app.command
def attach(
    segment_id: int,
    /,
    *,
    contact_id: Ids = None,
    external_id: ExternalIds = None,
    file: TextFile | None = None,
    server: Server = HERE,
) -> None:
    """Put people on a list. Who is unknown is passed over.

    Parameters
    ----------
    segment_id
        The list's id.
    contact_id
        Ids of contacts.
    external_id
        External ids.
    file
        Text with an external id in each line; - is standard input.
    """
    whom = _whom(contact_id, external_id, file)
    with connected(server) as client:
        added = client.attach_contacts(segment_id, **whom)
    if server.json:
        show_json({"segment_id": segment_id, "attached": added})
    else:
        console.print(f"{people(added)} new on the list")


@app.command
def detach(
    segment_id: int,
    /,
    *,
    contact_id: Ids = None,
    external_id: ExternalIds = None,
    file: TextFile | None = None,
    server: Server = HERE,
) -> None:
    """Take people off a list; they stay contacts.

    Parameters
    ----------
    segment_id
        The list's id.
    contact_id
        Ids of contacts.
    external_id
        External ids.
    file
        Text with an external id in each line; - is standard input.
    """
    whom = _whom(contact_id, external_id, file)
    with connected(server) as client:
        taken = client.detach_contacts(segment_id, **whom)
    if server.json:
        show_json({"segment_id": segment_id, "detached": taken})
    else:
        console.print(f"{people(taken)} taken off the list")


@app.command
def preview(condition: Condition, /, *, rows: int = 10, server: Server = HERE) -> None:
    """Count the people of a condition, and show the first of them, without storing it.

    Parameters
    ----------
    condition
        A condition tree as JSON, a file that holds one, or - for standard input.
    rows
        How many people to show, at most 100.
    """
    with connected(server) as client:
        found = client.preview_condition(_condition(condition), rows=rows)
    if server.json:
        show_json(found)
        return
    console.print(people(found.count))
    shown = [
        [one.id, *map(_given, (one.external_customer_id, one.first_name, one.last_name))]
        for one in found.sample
    ]
    show_table(["Id", "External id", "First name", "Last name"], shown, empty="Nobody.")


@app.command
def explain(segment_id: int, contact_id: int, /, *, server: Server = HERE) -> None:
    """Say why a contact is in a segment or not: each part of the rule with its answer and what was found.

    Parameters
    ----------
    segment_id
        The segment's id.
    contact_id
        The contact's id.
    """
    with connected(server) as client:
        found = client.explain_segment(segment_id, contact_id)
    if server.json:
        show_json(found)
        return
    for depth, part in _parts_of(found):
        line = f"{'  ' * depth}{'yes' if part.holds else 'no'}: {part.kind}"
        if part.condition is not None:
            line += f" {_json(part.condition)}, found: {_json(part.found)}"
        print(line)


@app.command
def export(
    segment_id: int,
    to: Path,
    /,
    *,
    columns: Annotated[list[str] | None, Parameter(negative="", consume_multiple=True)] = None,
    server: Server = HERE,
) -> None:
    """Save the people of a segment as a CSV file.

    Parameters
    ----------
    segment_id
        A list's or a dynamic segment's id.
    to
        The file to write.
    columns
        Names of columns in their order; all without it. `--columns email` is the short form.
    """
    exports.make(ExportCreate(segment_id=segment_id, columns=columns), to, server)


@app.command
def show(segment_id: int, /, *, server: Server = HERE) -> None:
    """Show a segment: its rule and, of a dynamic one, how many people it holds and up to when that is right.

    Parameters
    ----------
    segment_id
        The segment's id.
    """
    with connected(server) as client:
        show_json(client.get_segment(segment_id))


@app.command
def recalculate(segment_id: int, /, *, server: Server = HERE) -> None:
    """Have a dynamic segment worked out anew.

    Parameters
    ----------
    segment_id
        The segment's id.
    """
    with connected(server) as client:
        found = client.recalculate_segment(segment_id)
    if server.json:
        show_json(found)
    else:
        console.print(f"segment {segment_id} will be worked out in a moment")


@app.command
def growth(segment_id: int, /, *, days: int = 30, server: Server = HERE) -> None:
    """Show a dynamic segment's people day by day.

    Parameters
    ----------
    segment_id
        The segment's id.
    days
        How many days up to today.
    """
    with connected(server) as client:
        found = client.segment_growth(segment_id, days=days)
    if server.json:
        show_json(found)
        return
    rows = [[one.day, one.count, one.joined, one.left] for one in found]
    show_table(["Day", "People", "Came", "Left"], rows, empty="Nothing was counted yet.")


@app.command
def changes(segment_id: int, /, *, limit: int = 100, server: Server = HERE) -> None:
    """List who came into a dynamic segment and who left it, oldest first.

    Parameters
    ----------
    segment_id
        The segment's id.
    limit
        The most that are shown.
    """
    with connected(server) as client:
        found = client.segment_changes(segment_id, limit=limit)
    if server.json:
        show_json(found)
        return
    rows = [[one.at, one.contact_id, "came" if one.joined else "left"] for one in found]
    show_table(["When", "Contact", ""], rows, empty="Nobody came and nobody left.")


@app.command
def of(contact_id: int, /, *, server: Server = HERE) -> None:
    """List the dynamic segments that a contact is in.

    Parameters
    ----------
    contact_id
        The contact's id.
    """
    with connected(server) as client:
        found = client.contact_segments(contact_id)
    if server.json:
        show_json(found)
        return
    rows = [[one.segment_id, one.name, one.since] for one in found]
    show_table(["Id", "Name", "Since"], rows, empty="The contact is in no dynamic segment.")


def _whom(contact_id: list[int] | None, external_id: list[str] | None, file: Path | None) -> dict[str, Any]:
    external = [*(external_id or []), *(_lines(file) if file else [])]
    if not contact_id and not external:
        raise OperatorError("whom? Give --id, --external-id or --file")
    return {"contact_ids": contact_id or [], "external_ids": external}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _given(value: str | UnsetType) -> str:
    return "" if value is UNSET else value


def _parts_of(part: Explained, depth: int = 0) -> Iterator[tuple[int, Explained]]:
    yield depth, part
    for one in part.of:
        yield from _parts_of(one, depth + 1)


def _standing(one: Segment) -> list[Any]:
    if one.live is UNSET:
        return ["", "", ""]
    return [
        one.live.people,
        None if one.live.evaluated_at is UNSET else one.live.evaluated_at,
        one.live.status,
    ]


def _condition(given: str) -> Any:
    text = given if given.lstrip().startswith("{") else read_text(Path(given))
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise OperatorError(f"the condition is not JSON: {error}") from None


def _lines(file: Path) -> list[str]:
    return [line.strip() for line in read_text(file).splitlines() if line.strip()]
