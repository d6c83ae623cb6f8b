"""A CSV file of promo codes (contract 21.1). Pure, but for reading the file.

Headings, whatever their case, blanks and underscores: `code`, `expirationDate`, `discount`, `type`, `inUse`. Separators
are comma, semicolon or tab.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from perigee.cli.remote import read_text
from perigee.errors import Invalid, OperatorError
from perigee.lib.csv_out import unguard
from perigee.lib.scalars import to_bool, to_int

MOST_PERCENT = 99

_MEMBERS = {
    "code": "code",
    "expirationdate": "expires_at",
    "discount": "discount",
    "type": "type",
    "inuse": "in_use",
}
_REQUIRED = {"code": "code", "expires_at": "expirationDate", "discount": "discount"}
_SEPARATORS = ",;\t"


def read_codes(path: Path) -> list[dict[str, Any]]:
    """The codes as `/api/v4/promo-codes` takes them. Raises OperatorError that names the line: nothing has been sent
    when one of them is wrong."""
    text = read_text(path)
    separator = max(_SEPARATORS, key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        columns = [_MEMBERS.get(re.sub(r"[\s_-]", "", heading).casefold()) for heading in next(lines, [])]
        if missing := [name for member, name in _REQUIRED.items() if member not in columns]:
            raise OperatorError(f"{path}: the first line has no column {', '.join(missing)}")
        return list(_codes(lines, columns, path))
    except csv.Error as error:
        raise OperatorError(f"{path}: line {lines.line_num}: {error}") from None


def _codes(lines: Any, columns: list[str | None], path: Path) -> Iterator[dict[str, Any]]:
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        given = {
            member: unguard(cell).strip()
            for cell, member in zip(cells, columns, strict=False)
            if member is not None and cell.strip()
        }
        try:
            yield _code(given)
        except Invalid as error:
            raise OperatorError(f"{path}: line {lines.line_num}: {error.message}") from None


def _code(given: Mapping[str, str]) -> dict[str, Any]:
    for member, name in _REQUIRED.items():
        if member not in given:
            raise Invalid(f"{name}: is required", field=name)
    code: dict[str, Any] = {
        **given,
        "discount": to_int("discount", given["discount"], low=0, high=MOST_PERCENT),
    }
    if "in_use" in given:
        code["in_use"] = to_bool("inUse", given["in_use"])
    return code
