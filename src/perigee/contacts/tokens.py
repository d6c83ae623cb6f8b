"""Push tokens in an upsert: each belongs to one contact and moves to its last user (product 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from perigee.contacts import store
from perigee.contacts.policy import Write
from perigee.contacts.rows import ContactRow, Token
from perigee.db.pool import Connection


class StoredToken(NamedTuple):
    token_id: int
    kind: str
    app_id: str
    value: str
    contact_id: int


class Held:
    """The stored tokens of a set, locked."""

    def __init__(self, stored: Sequence[StoredToken]) -> None:
        self._by_value: dict[tuple[str, str], list[StoredToken]] = {}
        for one in stored:
            self._by_value.setdefault((one.kind, one.value), []).append(one)

    def find(self, token: Token) -> StoredToken | None:
        """The stored row of a token. One that names no application stands for any, and the other way round."""
        same = self._by_value.get((token.kind, token.value), ())
        exact = next((one for one in same if one.app_id == token.app_id), None)
        return exact or next((one for one in same if not one.app_id or not token.app_id), None)

    def holder(self, row: ContactRow, kinds: frozenset[str] | None) -> int | None:
        """Who has the first of the row's known tokens of these kinds (None: of any)."""
        looked_at = (token for token in row.tokens if kinds is None or token.kind in kinds)
        return next((found.contact_id for token in looked_at if (found := self.find(token))), None)

    def holders(self) -> set[int]:
        """Whose they are, before anybody takes them over."""
        return {one.contact_id for same in self._by_value.values() for one in same}


async def lock(conn: Connection, org_id: int, rows: Sequence[ContactRow]) -> Held:
    wanted = sorted({(token.kind, token.value) for row in rows for token in row.tokens})
    if not wanted:
        return Held(())
    return Held([StoredToken(*found) for found in await store.lock_tokens(conn, org_id, wanted)])


async def write(
    conn: Connection,
    org_id: int,
    created: Sequence[tuple[int, ContactRow]],
    updated: Sequence[tuple[int, ContactRow]],
    held: Held,
    policy: Write,
) -> None:
    """Adds new tokens, moves known ones, and drops those of listed kinds that a row no longer names.

    Tokens of a kind that the policy keeps are never dropped.
    """
    given = [(contact_id, token) for contact_id, row in created for token in row.tokens]
    given += [
        (contact_id, token)
        for contact_id, row in updated
        for token in row.tokens
        if policy.listed is None or token.kind in policy.listed
    ]
    # Inserted without `on conflict`: a token that another transaction has just brought must end this one, which
    # then starts over and finds its holder.
    if new := [pair for pair in given if held.find(pair[1]) is None]:
        await store.insert_tokens(conn, org_id, new)
    if known := [(found, pair) for pair in given if (found := held.find(pair[1]))]:
        await store.move_tokens(conn, org_id, [(found.token_id, pair[0], pair[1]) for found, pair in known])
    for kind in sorted((set(policy.listed or ()) & {"mobilepush", "webpush"}) - policy.keep):
        bare = [contact_id for contact_id, row in updated if all(token.kind != kind for token in row.tokens)]
        if bare:
            await store.drop_tokens(conn, org_id, kind, bare)
