"""`Idempotency-Key` on the POST methods of `/api/v4` (reliability 14).

The first answer to a key is kept for 24 hours, bound to organisation and request: the same request gets it again with
`Idempotency-Replayed: true`, another request under the same key is 422, a twin that is still running is 409. Faults of
ours and refusals that waiting can cure are not kept. A request whose process died is run again after a while.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.errors import Conflict, Invalid, PerigeeError

q = load(__package__)

KEEP_HOURS = 24
LOST_SECONDS = 120
KEY_LENGTH = 255
NOT_KEPT = frozenset({408, 409, 429})


class KeyReused(PerigeeError):
    """The key came with another request before → 422."""

    code = "idempotency_key_reused"


def request_hash(method: str, path: str, query: str, body: bytes) -> bytes:
    return hashlib.blake2b(f"{method} {path}?{query}\n".encode() + body, digest_size=32).digest()


async def once(
    database: Database, org_id: int, key: str, mark: bytes, run: Callable[[], Awaitable[Response[Any]]]
) -> Response[Any]:
    """The answer of `run`, or the one kept. Raises Invalid, KeyReused, Conflict."""
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= KEY_LENGTH):
        raise Invalid.of("Idempotency-Key", key, f"must be 1 to {KEY_LENGTH} printable ASCII characters")
    ids = {"org_id": org_id, "key": key}
    async with database.transaction() as connection:
        if (kept := await _kept(connection, ids, mark)) is not None:
            return kept
    try:
        answer = await run()
    except BaseException:
        async with database.transaction() as connection:
            await connection.execute(q.forget_request, ids)
        raise
    async with database.transaction() as connection:
        status = answer.status_code or 200
        if status >= 500 or status in NOT_KEPT:
            await connection.execute(q.forget_request, ids)
        else:
            await connection.execute(q.keep_answer, {**ids, "status": status, "body": answer.content})
    return answer


async def _kept(connection: Connection, ids: dict[str, Any], mark: bytes) -> Response[Any] | None:
    """The answer kept for this key; None when the request is ours to run."""
    begun = await connection.execute(
        q.begin_request, {**ids, "request_hash": mark, "keep_hours": KEEP_HOURS, "lost_seconds": LOST_SECONDS}
    )
    if await begun.fetchone() is not None:
        return None
    row = await (await connection.execute(q.known_request, ids)).fetchone()
    if row is None or row[0] != mark:
        raise KeyReused("Idempotency-Key: was used for another request")
    if row[1] is None:
        raise Conflict("the same request is still running")
    media_type = "application/json" if row[1] < 400 else "application/problem+json"
    return Response(
        bytes(row[2]), status_code=row[1], media_type=media_type, headers={"Idempotency-Replayed": "true"}
    )


async def prune(connection: Connection) -> None:
    await connection.execute(q.prune_requests, {"keep_hours": KEEP_HOURS})
