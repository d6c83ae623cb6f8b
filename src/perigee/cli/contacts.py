"""`perigee contacts …`: people."""

from __future__ import annotations

from typing import Any

import cyclopts
import msgspec

from perigee.cli.contact_import import import_file
from perigee.cli.people import add_commands
from perigee.cli.remote import HERE, Server, connected, show_facts, show_json
from perigee.contacts.types import Contact
from perigee.errors import OperatorError

app = cyclopts.App(name="contacts", help="People: import a file, look somebody up, delete and restore.")
add_commands(app)

app.command(import_file, name="import")


@app.command
def get(
    contact_id: int | None = None,
    /,
    *,
    email: str | None = None,
    phone: str | None = None,
    external_id: str | None = None,
    server: Server = HERE,
) -> None:
    """Show people: one by id, or all who have an email, a phone or an external id.

    Parameters
    ----------
    contact_id
        The contact's id.
    """
    with connected(server) as client:
        if contact_id is not None:
            found = [client.get_contact(contact_id)]
        elif email or phone or external_id:
            found = client.search_contacts(email=email, phone=phone, external_id=external_id)
        else:
            raise OperatorError("whom? Give an id, --email, --phone or --external-id")
    if server.json:
        show_json(found)
        return
    for contact in found:
        show_facts(_facts(contact))
    if not found:
        raise OperatorError("nobody is found")


def _facts(contact: Contact) -> dict[str, Any]:
    given = msgspec.to_builtins(contact)
    channels = {channel.type: channel.value for channel in contact.channels}
    lists = [group["name"] for group in given.get("groups", [])]
    fields = {str(field["id"]): field["value"] for field in given.get("fields", [])}
    address = [part for part in given.get("address", {}).values() if part]
    return {
        "Id": contact.id,
        "External id": given.get("externalCustomerId"),
        "Name": " ".join(filter(None, [given.get("firstName"), given.get("lastName")])),
        **channels,
        "Address": address,
        "Language": given.get("languageCode"),
        "Time zone": given.get("timeZone"),
        "Lists": lists,
        "Fields": fields,
    }
