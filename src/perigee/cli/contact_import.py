"""`perigee contacts import`: a file of people, from the upload to the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from perigee.cli.file_import import Dates, DecimalSign, Wishes, bring
from perigee.cli.remote import HERE, Server, TextFile

_DEFAULTS: dict[str, Any] = {
    "unique": "email",
    "lists": [],
    "restore_deleted": False,
    "consent": True,
    "event": None,
}


def import_file(
    file: TextFile,
    /,
    *,
    to_list: Annotated[list[str] | None, Parameter(name="--list", negative="")] = None,
    map_to: Annotated[list[str] | None, Parameter(name="--map", negative="")] = None,
    unique: str = "email",
    scheme: str | None = None,
    save_scheme: str | None = None,
    import_empty: Annotated[bool, Parameter(negative="")] = False,
    dates: Dates = "auto",
    decimal_sign: DecimalSign = "auto",
    restore_deleted: Annotated[bool, Parameter(negative="")] = False,
    unconfirmed: Annotated[bool, Parameter(negative="")] = False,
    event: str | None = None,
    preview: Annotated[bool, Parameter(negative="")] = False,
    report: Path | None = None,
    server: Server = HERE,
) -> None:
    """Add or update the people of a file: CSV, TSV, XLSX or JSON Lines.

    What the columns mean is recognised by their headings and values. A row with a bad value in the column that people
    are found by is skipped; any other bad value is left out. Exit code 3 if some were.

    Parameters
    ----------
    file
        The file; `-` is standard input.
    to_list
        Put everybody on this list, made if missing; may be given several times.
    map_to
        What a column means, as HEADING=TARGET or NUMBER=TARGET (from 1), such as "Mail=email"; may be given several
        times. Targets: email, phone, external_id, id, first_name, last_name, contact_key, language, time_zone,
        region, town, street, postcode, fields.ID; `ignore` for a column that is left out.
    unique
        By what known people are found: email, phone, email_or_phone, external_id, id or fields.ID.
    scheme
        Take the columns and options of this saved scheme.
    save_scheme
        Save what is used as a scheme of this name.
    import_empty
        Blank cells take stored values away.
    dates
        Order of day, month and year, where it is not told by the form.
    decimal_sign
        The sign before the fraction of a number.
    restore_deleted
        Bring deleted people of the file back.
    unconfirmed
        New emails wait for their owners' confirmation.
    event
        Type of an event that happens once, after the import, if it made somebody new.
    preview
        Only show what the first rows would come to.
    report
        Where to write what was not saved; else a new file in the folder of temporary files.
    """
    options = {
        "unique": unique,
        "lists": to_list or [],
        "restore_deleted": restore_deleted,
        "consent": not unconfirmed,
        "event": event,
    }
    said = {
        "import_empty": import_empty,
        "dates": dates,
        "decimal_sign": decimal_sign,
        "options": {name: value for name, value in options.items() if value != _DEFAULTS[name]},
    }
    noun = ("person", "people")
    bring(Wishes(file, "contacts", map_to, scheme, save_scheme, preview, report, said, noun), server)
