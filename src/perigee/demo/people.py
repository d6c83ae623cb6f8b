"""Made-up people for the customers of the data set: the same person for the same number, on every machine.

Addresses are at example.com, which belongs to nobody (RFC 2606); phones are the numbers 555-0100 to 555-0199 that
North America keeps for fiction, one person each over 236 area codes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from perigee.demo.names import CULTURES, Culture

NO_EMAIL_EVERY = 250
"""One in so many gave a phone number only."""
NO_NAME_EVERY = 50
"""One in so many gave no name."""

_FICTITIOUS = range(100, 200)
_AREA_CODES = [code for code in range(201, 990) if code % 100 != 11 and code // 10 % 10 != 9]


class Person(NamedTuple):
    number: int
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str
    language: str
    time_zone: str
    town: str

    @property
    def external_id(self) -> str:
        return external_id(self.number)

    def as_contact(self) -> dict[str, Any]:
        """As the wire has it (contract 7.1)."""
        channels = [{"type": "sms", "value": self.phone}]
        if self.email is not None:
            channels.insert(0, {"type": "email", "value": self.email})
        contact = {
            "externalCustomerId": self.external_id,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "channels": channels,
            "address": {"town": self.town},
            "languageCode": self.language,
            "timeZone": self.time_zone,
        }
        return {name: value for name, value in contact.items() if value is not None}


def external_id(number: int) -> str:
    return f"CDNOW-{number:05}"


def make_people(size: int) -> list[Person]:
    return [make_person(number) for number in range(1, size + 1)]


def make_person(number: int) -> Person:
    """`number` from 1."""
    dice = int.from_bytes(hashlib.blake2b(f"person {number}".encode(), digest_size=16).digest())
    dice, share = divmod(dice, 100)
    culture = _culture(share)
    dice, first = _pick(dice, culture.first.split())
    dice, last = _pick(dice, culture.last.split())
    dice, town = _pick(dice, culture.towns.split(","))
    named = number % NO_NAME_EVERY != 11
    local = f"{_spelled(first)}.{_spelled(last)}" if named else "customer"
    return Person(
        number=number,
        first_name=_native(first) if named else None,
        last_name=_native(last) if named else None,
        email=None if number % NO_EMAIL_EVERY == 3 else f"{local}.{number}@example.com",
        phone=_phone(number),
        language=culture.language,
        time_zone=culture.time_zone,
        town=town,
    )


def _phone(number: int) -> str:
    area, line = divmod(number - 1, len(_FICTITIOUS))
    return f"+1 {_AREA_CODES[area]} 555 {_FICTITIOUS[line]:04}"


def _culture(share: int) -> Culture:
    for culture in CULTURES:
        if share < culture.share:
            return culture
        share -= culture.share
    raise AssertionError("the shares make a hundred")


def _pick(dice: int, names: Sequence[str]) -> tuple[int, str]:
    rest, place = divmod(dice, len(names))
    return rest, names[place]


def _native(name: str) -> str:
    return name.partition("/")[0]


def _spelled(name: str) -> str:
    return (name.partition("/")[2] or name).lower()
