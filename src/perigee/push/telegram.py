"""Chat tokens of a Telegram bot (contract 22.3 to 22.5): whose they are, and who wants silence.

A token is looked for among people by contact id, external id, phone, email, in this order; nobody found makes a
contact of what was given. A person who is found keeps every identifier and the tokens they had. Somebody who has
muted the bot gets no campaigns, but what they asked for themselves (`delivery.suppression`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from perigee.contacts import clean
from perigee.contacts.policy import Match, Policy, Write
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.upsert import Done, upsert
from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound, PerigeeError
from perigee.lib.scalars import one_or_many, to_id, to_int, to_text
from perigee.push import store

KIND: Final = "telegram"
SHORTEST, LONGEST = 5, 31_536_000
"""Seconds of a mute."""
NO_TOKEN: Final = "Token must be specified"  # noqa: S105  # a sentence
BAD_DURATION: Final = "Duration must be positive integer"

_TOKEN_ALONE = Write(listed=frozenset({KIND}))
BY_CONTACT_ID = Policy(Match(("id",), "check"), _TOKEN_ALONE)
BY_IDENTIFIERS = Policy(Match(("phone", "email"), "search"), _TOKEN_ALONE)


class WireToken(msgspec.Struct, rename="camel"):
    """`token` is required, and at least one of the others."""

    token: Any = None
    contact_id: Any = None
    external_customer_id: Any = None
    phone: Any = None
    email: Any = None


class WireTokens(msgspec.Struct):
    tokens: list[WireToken | None] | WireToken | None = None


class WireMute(msgspec.Struct):
    """`duration` in seconds, 5 to 31536000; absent: for ever."""

    token: Any = None
    duration: Any = None


class WireUnmute(msgspec.Struct):
    token: Any = None


def clean_tokens(wire: WireTokens, app_id: str, *, most: int) -> list[ContactRow]:
    """A row per token. Raises Invalid, which names the place of the first bad one. Pure."""
    given: list[WireToken] = one_or_many(wire.tokens)
    if not given:
        raise Invalid("tokens: is required", field="tokens")
    if len(given) > most:
        raise Invalid(f"tokens: {len(given)} tokens are more than {most}", field="tokens")
    return [_row(one, f"tokens[{place}]", app_id) for place, one in enumerate(given)]


def _row(wire: WireToken, place: str, app_id: str) -> ContactRow:
    email, spelling = clean.email(f"{place}.email", wire.email)
    row = ContactRow(
        contact_id=to_id(f"{place}.contactId", wire.contact_id),
        external_id=to_text(f"{place}.externalCustomerId", wire.external_customer_id, limit=clean.ID_LENGTH),
        phone=clean.phone(f"{place}.phone", wire.phone),
        email=email,
        email_spelling=spelling,
        tokens=(Token(KIND, read_token(wire.token), app_id=app_id),),
    )
    if row.contact_id is None and row.external_id is None and row.phone is None and row.email is None:
        raise Invalid(
            f"{place}: at least one of contactId, externalCustomerId, phone and email is required",
            field="tokens",
        )
    return row


def read_token(value: object) -> str:
    """Raises Invalid in the words of the wire."""
    token = to_text("token", value, limit=clean.TOKEN_LENGTH)
    if token is None:
        raise Invalid(NO_TOKEN, field="token")
    return token


def read_duration(value: object) -> int | None:
    """Seconds, None: for ever. Raises Invalid in the words of the wire."""
    try:
        seconds = to_int("duration", value)
    except Invalid:
        raise Invalid(BAD_DURATION, field="duration", value=value) from None
    if seconds is not None and seconds <= 0:
        raise Invalid(BAD_DURATION, field="duration", value=value)
    if seconds is not None and not SHORTEST <= seconds <= LONGEST:
        raise Invalid(f"{BAD_DURATION} from {SHORTEST} to {LONGEST}", field="duration", value=value)
    return seconds


async def add(conn: Connection, org_id: int, rows: Sequence[ContactRow]) -> list[PerigeeError | None]:
    """Gives each token to its person, for `db.group_commit.run_set`."""
    known = [row for row in rows if row.contact_id is not None]
    bare = [ContactRow(contact_id=row.contact_id, tokens=row.tokens) for row in known]
    results = await upsert(conn, org_id, bare, BY_CONTACT_ID)
    found = {id(row) for row, result in zip(known, results, strict=True) if isinstance(result, Done)}
    rest = [msgspec.structs.replace(row, contact_id=None) for row in rows if id(row) not in found]
    for result in await upsert(conn, org_id, rest, BY_IDENTIFIERS):
        if isinstance(result, PerigeeError):
            raise result
    return [None] * len(rows)


async def mute(conn: Connection, org_id: int, app_id: str, token: str, seconds: int | None) -> None:
    """Raises NotFound for an unknown token."""
    if not await store.mute_token(conn, org_id, app_id, token, seconds):
        raise _unknown()


async def unmute(conn: Connection, org_id: int, app_id: str, token: str) -> None:
    """Raises NotFound for an unknown token; one that was not muted stays so."""
    if not await store.unmute_token(conn, org_id, app_id, token):
        raise _unknown()


def _unknown() -> NotFound:
    return NotFound("The token is not found")
