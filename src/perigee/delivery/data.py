"""What templates can say of a person beyond the contact itself, for the people of one batch at a time.

Each source is a set-based look-up. The caller's own data win where a source gives the same name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from perigee.db.pool import Connection
from perigee.db.queries import load as load_queries
from perigee.files import preprocessor

q = load_queries(__package__)


class Given(NamedTuple):
    """`language` is the version that was asked for; `data` is `Person.data`."""

    language: str | None
    data: Mapping[str, object]


NOTHING = Given(None, {})


class Somebody(NamedTuple):
    """A recipient by the message's number; `email` in its normal form."""

    ordinal: int
    email: str | None


async def load(
    connection: Connection,
    org_id: int,
    send_id: int,
    kind: str,
    people: Sequence[Somebody],
    *,
    recommendations: bool = True,
) -> dict[int, Given]:
    """By ordinal; who has nothing is missing. A campaign's recipients were not given anything by a caller.

    `recommendations` False: the message does not name them, so nobody looks them up.
    """
    given = {} if kind == "campaign" else await _from_caller(connection, org_id, send_id, people)
    if not recommendations:
        return given
    found = await _recommendations(connection, org_id, send_id, people)
    for ordinal, value in found.items():
        language, told = given.get(ordinal, NOTHING)
        given[ordinal] = Given(language, {preprocessor.NAME: value, **told})
    return given


async def _recommendations(
    connection: Connection, org_id: int, send_id: int, people: Sequence[Somebody]
) -> dict[int, object]:
    """From data files (contract 21.4). The draws of a send are the same whenever one of its messages is shown."""
    names = {one.ordinal: one.email or f"message {one.ordinal}" for one in people}
    found = await preprocessor.data_for(connection, org_id, list(names.values()), salt=str(send_id))
    return {ordinal: found[name] for ordinal, name in names.items() if name in found}


async def _from_caller(
    connection: Connection, org_id: int, send_id: int, people: Sequence[Somebody]
) -> dict[int, Given]:
    ordinals = [one.ordinal for one in people]
    cursor = await connection.execute(
        q.load_given, {"org_id": org_id, "send_id": send_id, "ordinals": ordinals}
    )
    return {ordinal: Given(language, data or {}) for ordinal, language, data in await cursor.fetchall()}
