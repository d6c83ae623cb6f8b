"""`perigee segments split|copy|delete|tag`: what is done with a whole segment."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from perigee.cli.remote import HERE, Server, connected, console, people, show_json
from perigee.errors import OperatorError


def add_commands(app: cyclopts.App) -> None:
    """Below `perigee segments`."""
    for command in (split, copy, delete, tag):
        app.command(command)


def split(
    segment_id: int, parts: Annotated[list[str], Parameter(negative="")], /, *, server: Server = HERE
) -> None:
    """Split the people of a segment by chance into two or three new lists.

    Parameters
    ----------
    segment_id
        The segment's id; it stays as it is.
    parts
        Names of the lists; with shares as NAME=PERCENT.
    """
    with connected(server) as client:
        made = client.split_segment(segment_id, dict(map(_part, parts)))
    if server.json:
        show_json(made)
        return
    for one in made:
        console.print(f"list {one.segment_id} {one.name}: {people(one.count)}", markup=False)


def _part(given: str) -> tuple[str, float | None]:
    name, equals, percent = given.rpartition("=")
    if not equals:
        return given, None
    try:
        return name, float(percent)
    except ValueError:
        raise OperatorError(f"{given}: the share must be a number of percents") from None


def copy(segment_id: int, /, *, name: str | None = None, server: Server = HERE) -> None:
    """Copy a dynamic segment.

    Parameters
    ----------
    segment_id
        The segment's id.
    name
        The copy's name.
    """
    with connected(server) as client:
        made = client.copy_segment(segment_id, name)
    if server.json:
        show_json(made)
    else:
        console.print(f"segment {made.segment_id} {made.name}", markup=False)


def delete(
    segment_id: int,
    /,
    *,
    with_people: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Delete a segment; its people stay, unless --with-people deletes them so that they can be restored.

    Parameters
    ----------
    segment_id
        The segment's id.
    with_people
        Delete its people, too; wants --yes.
    yes
        I mean it.
    """
    if with_people and not yes:
        raise OperatorError("this deletes everybody in the segment: say --yes, too")
    with connected(server) as client:
        client.delete_segment(segment_id, contacts=with_people)
    if server.json:
        show_json({"deleted": segment_id})
    else:
        console.print(f"segment {segment_id} is deleted")


def tag(
    segment_ids: Annotated[list[int], Parameter(negative="")],
    /,
    *,
    add: Annotated[list[str] | None, Parameter(negative="")] = None,
    remove: Annotated[list[str] | None, Parameter(negative="")] = None,
    server: Server = HERE,
) -> None:
    """Add tags to segments, or take tags away.

    Parameters
    ----------
    segment_ids
        Their ids.
    add
        A tag to add; may be given several times.
    remove
        A tag to take away; may be given several times.
    """
    with connected(server) as client:
        done = client.change_segment_tags(segment_ids, add=add or [], remove=remove or [])
    if server.json:
        show_json({"segments": done})
    else:
        console.print(f"{done} segments changed")
