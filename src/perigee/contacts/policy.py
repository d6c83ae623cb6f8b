"""How a given contact is matched with the stored ones, and what an update may write (contract 7.2, 10.1).

One policy holds for a whole set. The policies of the single methods are constants here; that of a bulk call
depends on its options.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Key = Literal["email", "phone", "token", "id", "field"]

UnknownExternal = Literal["create", "search", "unowned", "check"]
"""What happens when nobody has the given external id:
create   a new contact, even if the email is known
search   the keys decide; of several contacts one without a foreign external id goes first
unowned  the keys decide among contacts without an external id
check    the external id is never searched by, but it must not be another contact's
"""


@dataclass(frozen=True, slots=True)
class Match:
    """Finding: the external id first (but for `check`), then the keys, an earlier one before a later one.

    Contacts that are alive go before deleted ones; of several, the one updated last. A row that names a contact
    by our id (key `id`) is refused when there is no such contact; else nobody found means a new contact.
    """

    keys: tuple[Key, ...]
    unknown_external: UnknownExternal
    restore: bool = True
    """A deleted contact that is found is restored and updated; else the row is skipped."""
    field_id: str | None = None
    """The additional field of the key `field`."""
    token_kinds: frozenset[str] | None = None
    """Kinds of token that the key `token` looks at; None: all."""

    def rank(self, *keys: Key) -> int:
        """Place of the first of these keys that counts, 0 when none does."""
        return next((place for place, key in enumerate(self.keys, 1) if key in keys), 0)


@dataclass(frozen=True, slots=True)
class Write:
    """What reaches an existing contact. A new contact always gets every given value."""

    keep: frozenset[str] = frozenset()
    """Columns whose value, once there, is not replaced, and kinds of token of which none is taken away."""
    listed: frozenset[str] | None = None
    """Only these columns (and kinds of token) are written, and one without a value is cleared. None: what is given
    is written, nothing is cleared."""
    fields: frozenset[str] | None = None
    """The same for additional fields by id."""
    touch: bool = True
    """False: an existing contact stays as it is."""


@dataclass(frozen=True, slots=True)
class Policy:
    match: Match
    write: Write = Write()
    confirmed: bool = True
    """Emails count as confirmed. False: a new address waits for its owner's confirmation, a known one stays."""
    source: str = "api"


ADD_OR_UPDATE = Policy(Match(("email", "phone", "token"), "create"))
"""POST contact."""

UPDATE_BY_ID = Policy(Match(("id",), "check"))
"""PUT contact/{id}."""

SUBSCRIBE = Policy(
    Match(("email", "phone"), "search"),
    Write(keep=frozenset({"external_id", "email", "phone"})),
    confirmed=False,
    source="form",
)
"""POST contact/subscribe: stored channels are not replaced, nor is an external id."""

SUBSCRIBE_AT_ONCE = replace(SUBSCRIBE, confirmed=True)
"""The same without double opt-in: everybody is confirmed (product 5)."""

ORDER = Policy(Match(("email", "phone"), "search"), Write(touch=False), source="order")
"""An order makes a contact when nobody matches and changes nobody (product 2)."""
