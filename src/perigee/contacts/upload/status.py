"""How far a file of contacts has come, as 10.3 tells it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from perigee.contacts.upload import store
from perigee.contacts.upload.store import Counts, Known
from perigee.db.pool import Connection

MAPPED: Final = 100_000
"""People of a file up to which the answer names each: it is one JSON document, and a file may hold millions."""


def sentences(counts: Counts, failures: Sequence[str]) -> list[str]:
    """What is to be said about the rows so far. Pure."""
    done = counts.created + counts.updated + counts.skipped
    said = []
    if done + counts.refused:
        said.append(f"{counts.created} contacts created, {counts.updated} updated, {counts.skipped} skipped")
    if counts.refused:
        said.append(f"{counts.refused} contacts were refused, the first because: {failures[0]}")
    if counts.lost:
        said.append(f"{counts.lost} values of additional fields did not fit and were not saved")
    if counts.ignored:
        said.append("columns without a meaning: " + ", ".join(counts.ignored)[:500])
    if done > MAPPED:
        said.append(f"the mapping is left out, it is for up to {MAPPED} contacts")
    return said


async def mapping(
    conn: Connection, org_id: int, session_id: UUID, counts: Counts
) -> list[tuple[str, int]] | None:
    """(value of the dedupe field, contact id) in the order of the file; None for too many."""
    if counts.created + counts.updated + counts.skipped > MAPPED:
        return None
    known = await store.contacts(conn, org_id, session_id, most=MAPPED)
    return [(_value(one, counts.dedupe_on), one.contact_id) for one in known]


def _value(known: Known, dedupe_on: str) -> str:
    match dedupe_on:
        case "email":
            value = known.email
        case "sms":
            value = known.phone
        case "email_or_sms":
            value = known.email or known.phone
        case _:
            value = str(known.contact_id)
    return value or known.external_id or ""
