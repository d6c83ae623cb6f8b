"""Who is erased: the texts and numbers by which other tables may name them. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

SHORTEST = 5
"""Characters from which on a text is looked for inside other texts: an external id `1` would be found everywhere."""


class Person(NamedTuple):
    contact_id: int
    external_id: str | None
    email: str | None
    phone: str | None
    email_spelling: str | None = None
    phone_spelling: str | None = None


class Names:
    """Of several people at once.

    `values`: whole values to compare with, in small letters. `texts`: those that may be looked for inside a longer
    text. `needles`: the same, and the contact ids, as bytes.
    """

    def __init__(self, people: Iterable[Person]) -> None:
        found = list(people)
        self.contact_ids = {one.contact_id for one in found}
        self.emails = {one.email for one in found if one.email}
        self.phones = {one.phone for one in found if one.phone}
        self.external_ids = {one.external_id for one in found if one.external_id}
        spelled = {text for one in found for text in (one.email_spelling, one.phone_spelling) if text}
        self.addresses = [("email", value) for value in sorted(self.emails)]
        self.addresses += [("phone", value) for value in sorted(self.phones)]
        every = self.emails | self.phones | self.external_ids | spelled
        self.values = sorted({value.lower() for value in every} | {"+" + phone for phone in self.phones})
        self.texts = [text for text in self.values if len(text) >= SHORTEST and not text.startswith("+")]
        as_written = {text for text in every if len(text) >= SHORTEST}
        self.needles = [text.encode() for text in sorted(as_written | set(self.texts))]

    @property
    def identities(self) -> list[tuple[str, str]]:
        """What contacts are found by: (id, external_id, email or phone; value)."""
        found = {"external_id": self.external_ids, "email": self.emails, "phone": self.phones}
        ids = [("id", str(contact_id)) for contact_id in self.contact_ids]
        return ids + [(kind, value) for kind, values in found.items() for value in values]

    def without(self, gone: Iterable[str]) -> list[str]:
        """The texts that are looked for inside others, of those values only."""
        kept = set(gone)
        return [text for text in self.texts if text in kept]
