"""A CSV file of people as contacts of the bulk call. Pure, but for reading the file.

Headings are those of contract 10.2 and the wire's names, whatever their case, blanks and underscores: `First name`,
`firstName`, `email`, `SMS` … An additional field is `GROUP.FIELD`. Separators are comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from perigee.cli.remote import read_text
from perigee.errors import OperatorError
from perigee.lib.csv_out import unguard

_PLAIN = {
    "firstname": "firstName",
    "lastname": "lastName",
    "externalcustomerid": "externalCustomerId",
    "externalid": "externalCustomerId",
    "contactkey": "contactKey",
    "contactid": "id",
    "languagecode": "languageCode",
    "language": "languageCode",
    "timezone": "timeZone",
}
_CHANNELS = {"email": "email", "sms": "sms", "phone": "sms"}
_ADDRESS = {"address": "address", "region": "region", "city": "town", "town": "town", "postcode": "postcode"}
_SEPARATORS = ",;\t"


class Sheet(NamedTuple):
    """`contacts` come with the number of their line. `ignored`: headings that stand for nothing."""

    contacts: Iterator[tuple[int, dict[str, Any]]]
    fields: list[int]
    """Additional fields that have a column."""
    ignored: list[str]


def read_sheet(path: Path, fields: Mapping[str, int]) -> Sheet:
    """`fields`: ids of additional fields by `GROUP.FIELD`. Raises OperatorError for a file that is no such sheet."""
    text = read_text(path)
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    headings = next(lines, [])
    folded = {name.casefold(): number for name, number in fields.items()}
    columns = [_column(heading, folded) for heading in headings]
    if not any(kind in ("channel", "plain") for kind, _ in columns):
        raise OperatorError(
            f"{path}: the first line names no column that we know, such as email or firstName"
        )
    return Sheet(
        contacts=_contacts(lines, columns, path),
        fields=[int(name) for kind, name in columns if kind == "field"],
        ignored=[heading for heading, (kind, _) in zip(headings, columns, strict=True) if kind == "ignored"],
    )


_Column = tuple[str, str]


def _column(heading: str, fields: Mapping[str, int]) -> _Column:
    name = re.sub(r"[\s_-]", "", heading).casefold()
    if name in _PLAIN:
        return "plain", _PLAIN[name]
    if name in _CHANNELS:
        return "channel", _CHANNELS[name]
    if name in _ADDRESS:
        return "address", _ADDRESS[name]
    if (field := fields.get(heading.strip().casefold())) is not None:
        return "field", str(field)
    return "ignored", heading


def _contacts(
    lines: Iterator[list[str]], columns: Sequence[_Column], path: Path
) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 1
    try:
        for number, cells in enumerate(lines, 2):
            if len(cells) > len(columns):
                raise OperatorError(f"{path}: line {number} has more cells than the first line has headings")
            if any(cell.strip() for cell in cells):
                yield number, _contact(cells, columns)
    except csv.Error as error:
        raise OperatorError(f"{path}: line {number + 1}: {error}") from None


def _contact(cells: Sequence[str], columns: Sequence[_Column]) -> dict[str, Any]:
    contact: dict[str, Any] = {}
    for text, (kind, name) in zip(cells, columns, strict=False):
        value = unguard(text).strip()
        if not value:
            continue
        match kind:
            case "plain":
                contact[name] = value
            case "channel":
                contact.setdefault("channels", []).append({"type": name, "value": value})
            case "address":
                contact.setdefault("address", {})[name] = value
            case "field":
                contact.setdefault("fields", []).append({"id": int(name), "value": value})
    return contact
