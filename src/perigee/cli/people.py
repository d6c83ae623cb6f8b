"""`perigee contacts data|deleted|delete|restore`: what is stored about a person, and its end."""

from __future__ import annotations

from typing import Annotated

import cyclopts
from cyclopts import Parameter

from perigee.cli.remote import HERE, Server, connected, console, people, show_json, show_table
from perigee.errors import OperatorError


def add_commands(app: cyclopts.App) -> None:
    """Below `perigee contacts`."""
    for command in (data, deleted, delete, restore):
        app.command(command)


def data(contact_id: int, /, *, server: Server = HERE) -> None:
    """Print everything that is stored about a person, as JSON.

    Parameters
    ----------
    contact_id
        The contact's id.
    """
    with connected(server) as client:
        show_json(client.export_person_data(contact_id))


def deleted(*, limit: int = 100, server: Server = HERE) -> None:
    """List contacts that were deleted and can be restored.

    Parameters
    ----------
    limit
        The most contacts.
    """
    with connected(server) as client:
        found = client.list_deleted_contacts(limit=limit)
    if server.json:
        show_json(found)
        return
    show_table(
        ["Id", "Email", "Phone", "Deleted", "Reason", "Erased"],
        [[one.contact_id, one.email, one.phone, one.deleted_at, one.reason, one.erased_at] for one in found],
        empty="Nobody is deleted.",
    )


def delete(
    contact_ids: Annotated[list[int], Parameter(negative="")],
    /,
    *,
    reason: str | None = None,
    erase: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Delete people so that they can be restored, or erase them for good.

    Parameters
    ----------
    contact_ids
        Their ids.
    reason
        Why, for people to read.
    erase
        Remove everything about them; cannot be undone, and wants --yes.
    yes
        I mean it.
    """
    if erase and not yes:
        raise OperatorError("an erasure cannot be undone: say --yes, too")
    with connected(server) as client:
        done = client.delete_contacts(contact_ids, erase=erase, reason=reason)
    if server.json:
        show_json({"deleted": done})
    else:
        console.print(f"{people(done)} {'erased' if erase else 'deleted'}")


def restore(contact_id: int, /, *, server: Server = HERE) -> None:
    """Restore a deleted contact.

    Parameters
    ----------
    contact_id
        The contact's id.
    """
    with connected(server) as client:
        found = client.restore_contact(contact_id)
    if server.json:
        show_json(found)
    else:
        console.print(f"contact {contact_id} is back")
