"""Headings of a file of contacts (contract 10.2): what each column is. Pure.

Case, blanks, `_` and `-` do not count, and the wire's names are taken beside the documented ones: `First name`,
`firstName` and `first_name` are one. `GROUP.FIELD` is an additional field; `Additional info` is the additional field
whose key is ADDITIONAL_INFO, in whatever group. Any other column is skipped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from perigee.errors import Invalid

Kind = Literal["member", "channel", "address", "field", "ignored"]

INFO_KEY: Final = "ADDITIONAL_INFO"


class Column(NamedTuple):
    """`name`: the attribute of the wire's contact or address, the type of channel, or the id of the field."""

    kind: Kind
    name: str


_COLUMNS: Final = {
    "firstname": Column("member", "first_name"),
    "lastname": Column("member", "last_name"),
    "contactid": Column("member", "id"),
    "id": Column("member", "id"),
    "externalcustomerid": Column("member", "external_customer_id"),
    "externalid": Column("member", "external_customer_id"),
    "contactkey": Column("member", "contact_key"),
    "languagecode": Column("member", "language_code"),
    "language": Column("member", "language_code"),
    "timezone": Column("member", "time_zone"),
    "email": Column("channel", "email"),
    "sms": Column("channel", "sms"),
    "phone": Column("channel", "sms"),
    "address": Column("address", "address"),
    "region": Column("address", "region"),
    "city": Column("address", "town"),
    "town": Column("address", "town"),
    "postcode": Column("address", "postcode"),
}
_ID: Final = Column("member", "id")
_EXTERNAL_ID: Final = Column("member", "external_customer_id")
_EMAIL: Final = Column("channel", "email")
_SMS: Final = Column("channel", "sms")
_KEYS: Final = {
    "email": ({_EMAIL, _EXTERNAL_ID}, "Email"),
    "sms": ({_SMS, _EXTERNAL_ID}, "SMS"),
    "email_or_sms": ({_EMAIL, _SMS, _EXTERNAL_ID}, "Email and SMS"),
    "id": ({_ID, _EXTERNAL_ID}, "Contact ID"),
}
"""`dedupeOn` → columns of which there must be one, and what they are called."""

DEDUPE_ON: Final = tuple(_KEYS)
_IGNORED: Final = Column("ignored", "")


def columns(headings: Sequence[str], fields: Mapping[str, int], dedupe_on: str) -> list[Column]:
    """`fields`: ids of additional fields by `GROUP.FIELD`. Raises Invalid when the column of `dedupeOn` is missing.

    Our own ids are only read when contacts are looked for by them: shops put theirs under `Contact ID`.
    """
    folded = {_fold(name): field_id for name, field_id in fields.items()}
    infos = (field_id for name, field_id in fields.items() if name.rpartition(".")[2] == INFO_KEY)
    if (info := next(infos, None)) is not None:
        folded[_fold(INFO_KEY)] = info
    found = [_column(_fold(heading), folded) for heading in headings]
    if dedupe_on != "id":
        found = [_IGNORED if column == _ID else column for column in found]
    wanted, name = _KEYS[dedupe_on]
    if wanted.isdisjoint(found):
        shown = ", ".join(heading.strip() for heading in headings)
        raise Invalid(
            f"link: the first line of the file, '{shown[:200]}', has no column {name}, which dedupeOn needs",
            field="link",
        )
    return _first_of_each(found)


def _column(name: str, fields: Mapping[str, int]) -> Column:
    if (column := _COLUMNS.get(name)) is not None:
        return column
    field_id = fields.get(name)
    return _IGNORED if field_id is None else Column("field", str(field_id))


def _first_of_each(found: Sequence[Column]) -> list[Column]:
    """Of two columns that mean the same the first counts."""
    seen: set[Column] = set()
    kept = []
    for column in found:
        kept.append(_IGNORED if column in seen else column)
        seen.add(column)
    return kept


def _fold(heading: str) -> str:
    return re.sub(r"[\s_-]", "", heading).casefold()
