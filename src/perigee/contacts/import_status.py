"""What became of an import, by its session id (contract 10.3), however its contacts came in."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from perigee.contacts import import_store
from perigee.contacts.import_store import State
from perigee.contacts.upload import status as upload
from perigee.contacts.upload import store as upload_store
from perigee.db.pool import Connection
from perigee.errors import NotFound


class ImportState(NamedTuple):
    status: str
    at: datetime
    description: str | None
    mapping: list[tuple[str, int]] | None
    """(value of the dedupe field, contact id), once finished."""


async def import_state(conn: Connection, org_id: int, session: str) -> ImportState:
    """Raises NotFound, also for what is no session id at all."""
    try:
        session_id = UUID(session)
    except ValueError:
        raise _unknown() from None
    state = await import_store.state(conn, org_id, session_id)
    if state is None:
        raise _unknown()
    counts = await upload_store.counts(conn, org_id, session_id)
    if counts is None:
        mapping = None if state.mapping is None else list(zip(*state.mapping, strict=True))
        return ImportState(state.status, state.at, _joined(_sentences(state)), mapping)
    said = [state.description] if state.description else upload.sentences(counts, state.failures)
    finished = state.status == "FINISHED"
    mapping = await upload.mapping(conn, org_id, session_id, counts) if finished else None
    return ImportState(state.status, state.at, _joined(said), mapping)


def _unknown() -> NotFound:
    return NotFound("The import session is not found")


def _sentences(state: State) -> list[str]:
    parts = [state.description] if state.description else []
    if state.failures:
        parts.append(f"{len(state.failures)} contacts were refused, the first because: {state.failures[0]}")
    return parts


def _joined(sentences: list[str]) -> str | None:
    return "; ".join(sentences) or None
