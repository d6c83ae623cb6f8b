"""The 409 guard: the same request within a minute (contract 4 and 26).

"The same" is method, path, organisation and body bytes. The fingerprint is written in the transaction of the
change itself, so a request that was refused or lost in a crash may be repeated at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Conflict

q = load(__package__)

DUPLICATED = "Duplicated request"
"""Clients look for exactly these words."""


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    digest.update(f"{method} {path}\n".encode())
    digest.update(body)
    return digest.digest()


async def admit(
    connection: Connection, org_id: int, fingerprints: Sequence[bytes], seconds: int
) -> list[bool]:
    """Per fingerprint: may it pass? Of equal ones in one call the first passes. `seconds` 0 lets all pass."""
    if seconds == 0 or not fingerprints:
        return [True] * len(fingerprints)
    cursor = await connection.execute(
        q.admit_requests, {"org_id": org_id, "fingerprints": list(set(fingerprints)), "seconds": seconds}
    )
    admitted = {bytes(row[0]) for row in await cursor.fetchall()}
    passes = []
    for mark in fingerprints:
        passes.append(mark in admitted)
        admitted.discard(mark)
    return passes


async def forget(connection: Connection, org_id: int, fingerprints: Sequence[bytes]) -> None:
    """Takes back the marks of requests that turned out to be refused."""
    await connection.execute(q.forget_requests, {"org_id": org_id, "fingerprints": list(fingerprints)})


async def prune(connection: Connection, seconds: int) -> None:
    """Drops marks that can refuse nothing any more."""
    await connection.execute(q.prune_requests, {"seconds": seconds})


def duplicated() -> Conflict:
    return Conflict(DUPLICATED)
