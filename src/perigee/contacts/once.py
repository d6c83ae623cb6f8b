"""The 409 guard around a set function: of equal requests within a minute one is carried out (contract 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from perigee.db.group_commit import Apply
from perigee.db.pool import Connection
from perigee.errors import PerigeeError
from perigee.esputnik import repeat


class Marked(NamedTuple):
    """An item with the fingerprint of the request that brought it."""

    item: Any
    mark: bytes
    seconds: int
    """How long an equal request counts as a repetition; 0 = never."""


async def once(
    apply: Apply[Any, Any], conn: Connection, org_id: int, marked: Sequence[Marked]
) -> list[Any | Exception]:
    """Results of `apply` for the items that may pass, Conflict for the others. A refused item may come again."""
    passes = await repeat.admit(conn, org_id, [one.mark for one in marked], marked[0].seconds)
    admitted = [one for one, may in zip(marked, passes, strict=True) if may]
    done = await apply(conn, org_id, [one.item for one in admitted]) if admitted else []
    refused = [
        one.mark for one, result in zip(admitted, done, strict=True) if isinstance(result, PerigeeError)
    ]
    if refused and marked[0].seconds:
        await repeat.forget(conn, org_id, refused)
    results = iter(done)
    return [next(results) if may else repeat.duplicated() for may in passes]
