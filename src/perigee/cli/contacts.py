"""`perigee contacts …`: people."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import msgspec
from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress

from perigee.cli.contact_csv import Sheet, read_sheet
from perigee.cli.remote import HERE, IN_PART, Server, connected, console, people, show_facts, show_json
from perigee.client import Client
from perigee.client.contacts import CONTACTS_PER_CALL
from perigee.client.types import RefusedContact
from perigee.contacts.types import Contact
from perigee.errors import OperatorError

app = cyclopts.App(name="contacts", help="People: import a file, look somebody up.")

_SHOWN_REFUSALS = 20


class Refusal(msgspec.Struct):
    line: int | None
    error: str


class Imported(msgspec.Struct):
    imported: int = 0
    refused: list[Refusal] = []
    remarks: list[str] = []
    """What the server says about its work."""


@app.command(name="import")
def import_file(
    file: Path,
    /,
    *,
    to_list: Annotated[list[str] | None, Parameter(name="--list", negative="")] = None,
    dedupe_on: str = "email",
    restore_deleted: Annotated[bool, Parameter(negative="")] = False,
    server: Server = HERE,
) -> None:
    """Add or update the people of a CSV file.

    The first line holds the headings: email, sms, firstName, lastName, externalCustomerId, languageCode, timeZone,
    town, region, postcode, address; additional fields as GROUP.FIELD. Exit code 3 if some people were refused.

    Parameters
    ----------
    file
        UTF-8, separated by comma, semicolon or tab.
    to_list
        Put everybody on this list, made if missing; may be given several times.
    dedupe_on
        By what known people are found: email, sms, email_or_sms, externalCustomerId or id.
    restore_deleted
        Bring deleted people of the file back.
    """
    with connected(server) as client:
        sheet = read_sheet(file, _field_ids(client))
        if sheet.ignored:
            print(f"perigee: columns without a meaning: {', '.join(sheet.ignored)}", file=sys.stderr)
        options = {"dedupe_on": dedupe_on, "lists": to_list or [], "restore_deleted": restore_deleted}
        done = _import(client, sheet, options, show=not server.json)
    if server.json:
        show_json(done)
    else:
        _show(done)
    if done.refused:
        raise SystemExit(IN_PART)


def _show(done: Imported) -> None:
    console.print(
        f"{people(done.imported)} imported" + (f", {len(done.refused)} refused:" if done.refused else "")
    )
    for refusal in done.refused[:_SHOWN_REFUSALS]:
        console.print(f"  line {refusal.line or '?'}: {refusal.error}", markup=False)
    if len(done.refused) > _SHOWN_REFUSALS:
        console.print(f"  … and {len(done.refused) - _SHOWN_REFUSALS} more; --json lists all", markup=False)
    for remark in done.remarks:
        console.print(remark, markup=False)


def _field_ids(client: Client) -> dict[str, int]:
    return {
        f"{group.key}.{field.key}": field.field_id for group in client.list_fields() for field in group.fields
    }


def _import(client: Client, sheet: Sheet, options: dict[str, Any], *, show: bool) -> Imported:
    """One call after the other, so that of two lines about one person the later one holds."""
    done = Imported()
    with Progress(console=Console(stderr=True), disable=not show, transient=True) as progress:
        bar = progress.add_task("Importing", total=None)
        while part := list(itertools.islice(sheet.contacts, CONTACTS_PER_CALL)):
            accepted = client.import_contacts(
                [contact for _, contact in part], fields=sheet.fields, **options
            )
            status = client.wait_for_import(accepted.session_id)
            if status.status == "ERROR":
                raise OperatorError(f"the import failed: {status.description or 'no reason given'}")
            done.imported += len(part) - len(accepted.refused)
            done.refused += _with_lines(part, accepted.refused)
            if status.description and _is_news(status.description, told=len(accepted.refused)):
                done.remarks.append(status.description)
            progress.update(bar, advance=len(part))
    return done


def _is_news(description: str, *, told: int) -> bool:
    """The server's count holds those it refused at once, whom we name by their lines."""
    counted = re.match(r"(\d+) contacts were refused", description)
    return counted is None or int(counted[1]) > told


def _with_lines(part: list[tuple[int, dict[str, Any]]], refused: list[RefusedContact]) -> list[Refusal]:
    """The server hands a refused contact back as it was sent; its line is where it stands in the file."""
    lines = {_fingerprint(contact): number for number, contact in part}
    return [Refusal(lines.get(_fingerprint(one.contact)), one.error) for one in refused]


def _fingerprint(contact: dict[str, Any]) -> bytes:
    return msgspec.json.encode(contact, order="deterministic")


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
