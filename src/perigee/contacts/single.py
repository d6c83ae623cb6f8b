"""Contacts one at a time, as set functions for the group commit: each takes many callers' contacts at once."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.contacts import fields
from perigee.contacts.policy import ADD_OR_UPDATE, UPDATE_BY_ID, Policy
from perigee.contacts.rows import ContactRow
from perigee.contacts.upsert import Result, upsert
from perigee.db.pool import Connection


async def add_or_update(conn: Connection, org_id: int, rows: Sequence[ContactRow]) -> list[Result]:
    """POST contact (contract 9.1): by external id, else by email, phone or token; nobody found makes a contact."""
    return await _write(conn, org_id, rows, ADD_OR_UPDATE)


async def update_by_id(conn: Connection, org_id: int, rows: Sequence[ContactRow]) -> list[Result]:
    """PUT contact/{id} (contract 9.2): by `contact_id` only. NotFound, or Invalid for a foreign external id."""
    return await _write(conn, org_id, rows, UPDATE_BY_ID)


async def _write(conn: Connection, org_id: int, rows: Sequence[ContactRow], policy: Policy) -> list[Result]:
    await fields.apply_types(conn, org_id, rows)
    return await upsert(conn, org_id, rows, policy)
