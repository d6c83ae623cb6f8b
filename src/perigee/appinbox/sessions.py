"""The token of a signed-in person, which changes with every answer (contract 22.7, 22.8).

`POST v1/auth/contact/token` begins a chain of tokens; each request with a token of the chain is answered with the
next one. A token dies when its successor is used for the first time. So a person whose answer was lost on the way,
or whose page sends two requests at once, comes again with the token they have and gets the same next one, while a
token that was left behind opens nothing.

A token is signed and names organisation, contact, chain and its number in the chain; the database holds only the
newest number, so there is nothing in it to steal. A chain ends when it was not used for `seconds`, when the contact
is deleted, and when it is erased.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

from perigee.appinbox import store
from perigee.db.pool import Connection
from perigee.errors import Unauthorized
from perigee.lib.tokens import InvalidToken, Signer

PURPOSE = "app inbox"


class Turn(NamedTuple):
    """Whose inbox a request is about, and the token its answer carries."""

    org_id: int
    contact_id: int
    next_token: str


async def begin(conn: Connection, signer: Signer, org_id: int, contact_id: int, *, seconds: float) -> str:
    """The first token of a new chain."""
    session_id = secrets.randbits(63)
    await store.insert_session(conn, org_id, contact_id, session_id, seconds)
    return signer.sign(PURPOSE, org_id, contact_id, session_id, 0)


async def turn(conn: Connection, signer: Signer, token: str, *, seconds: float) -> Turn:
    """Takes a token. Raises Unauthorized, with one text for every kind of bad token."""
    try:
        org_id, contact_id, session_id, generation = signer.verify(PURPOSE, token)
    except (InvalidToken, ValueError):
        raise dead() from None
    following = await store.turn_session(conn, org_id, contact_id, session_id, generation, seconds)
    if following is None:
        raise dead()
    return Turn(org_id, contact_id, signer.sign(PURPOSE, org_id, contact_id, session_id, following))


def dead() -> Unauthorized:
    return Unauthorized("wrong, missing or used ES-TOKEN: get a new one from POST v1/auth/contact/token")
