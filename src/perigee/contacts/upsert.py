"""Add or update contacts: the one way in which every method, import, order and event writes people.

Set-based: a set of any size takes a handful of statements. Concurrent callers are safe without a lock on the whole:

1. Every email and phone of the set is locked, in one order, or inserted where nobody has it yet. Two callers who
   bring the same known address take turns here.
2. Two callers who bring the same new address, external id or token meet at its unique index: the later one's
   transaction fails and is run again (`db.group_commit.RACES`), and then finds the first one's work.

Runs in the caller's transaction and never commits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import NamedTuple

from perigee.contacts import addresses, rounds, store, tokens
from perigee.contacts.copying import MANY
from perigee.contacts.policy import Policy
from perigee.contacts.rounds import Group
from perigee.contacts.rows import ContactRow
from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound, PerigeeError
from perigee.segments import kinds
from perigee.segments.live.notes import changed_each
from perigee.segments.static import ensure_static


class Action(StrEnum):
    """What became of a row."""

    CREATED = "created"
    UPDATED = "updated"
    RESTORED = "restored"
    SKIPPED = "skipped"
    """The contact is deleted and the policy does not restore."""


class Done(NamedTuple):
    contact_id: int
    action: Action


Result = Done | PerigeeError

_FOUND = {"n": Action.CREATED, "u": Action.UPDATED, "d": Action.RESTORED}
_FOREIGN = "x"


async def upsert(conn: Connection, org_id: int, rows: Sequence[ContactRow], policy: Policy) -> list[Result]:
    """One result per row, in order. A refused row is its own error and does not hurt the others.
    Additional fields are taken as typed (`fields.apply_types`).

    Rows of one person act as if they came one after the other. Errors per row: NotFound (no contact of the
    id it names), Invalid (an external id that is another contact's).
    """
    results: list[Result] = [_UNSEEN] * len(rows)
    if not rows:
        return results
    waiting = rounds.group(rows, policy)
    async with _few_round_trips(conn, len(rows)):
        await store.plan_by_key(conn)
        while waiting:
            written = await _write_round(conn, org_id, rounds.ready(waiting), policy)
            for one, result in written:
                _note(results, one, result)
            done = {id(one) for one, _ in written}
            waiting = [one for one in waiting if id(one) not in done]
    return results


_UNSEEN = NotFound("never written")


def _note(results: list[Result], one: Group, result: Result) -> None:
    """The first of several equal rows has made the contact, the others have updated it."""
    for place in one.places:
        results[place] = result
        if isinstance(result, Done) and result.action in (Action.CREATED, Action.RESTORED):
            result = Done(result.contact_id, Action.UPDATED)


async def _write_round(
    conn: Connection, org_id: int, groups: Sequence[Group], policy: Policy
) -> list[tuple[Group, Result]]:
    """Writes those of the groups that are about different contacts, and returns them with their results."""
    rows = [one.row for one in groups]
    known = await addresses.lock(conn, org_id, rows, confirmed=policy.confirmed, source=policy.source)
    held = await tokens.lock(conn, org_id, rows)
    direct = await _direct_ids(conn, org_id, rows, policy, held)
    matches = await store.match(conn, org_id, rows, known, direct, policy.match)

    results: list[tuple[Group, Result]] = []
    created: list[tuple[int, ContactRow]] = []
    updated: list[tuple[int, ContactRow]] = []
    taken: set[int] = set()
    for one, (contact_id, state) in zip(groups, matches, strict=True):
        if contact_id in taken:
            continue
        taken.add(contact_id)
        result = _judge(one.row, contact_id, state, policy)
        results.append((one, result))
        if isinstance(result, Done) and result.action is Action.CREATED:
            created.append((contact_id, one.row))
        elif isinstance(result, Done) and result.action is not Action.SKIPPED and policy.write.touch:
            updated.append((contact_id, one.row))
    if created:
        await store.insert_contacts(conn, org_id, created, policy.source)
    if updated:
        await store.update_contacts(conn, org_id, updated, policy.write)
    await tokens.write(conn, org_id, created, updated, held, policy.write)
    await _join_groups(conn, org_id, created + updated)
    losers = [(contact_id, kinds.TOKENS) for contact_id in held.holders()]
    await changed_each(conn, org_id, _changes(results) + losers)
    return results


def _changes(results: Sequence[tuple[Group, Result]]) -> list[tuple[int, int]]:
    """What the live segments are told."""
    return [
        (done.contact_id, kinds.PERSON if done.action is Action.UPDATED else kinds.PERSON | kinds.PRESENCE)
        for _, done in results
        if isinstance(done, Done) and done.action is not Action.SKIPPED
    ]


def _judge(row: ContactRow, contact_id: int, state: str, policy: Policy) -> Result:
    if state == _FOREIGN:
        return Invalid.of("externalCustomerId", row.external_id, "belongs to another contact")
    action = _FOUND[state]
    if action is Action.CREATED and "id" in policy.match.keys and row.contact_id is not None:
        return NotFound(f"Contact with id='{row.contact_id}' is not found")
    if action is Action.RESTORED and not policy.match.restore:
        action = Action.SKIPPED
    return Done(contact_id, action)


async def _direct_ids(
    conn: Connection, org_id: int, rows: Sequence[ContactRow], policy: Policy, held: tokens.Held
) -> list[int | None]:
    """Contacts that are known by id before any matching: by our id, by a token's holder or by a field's value."""
    keys = policy.match.keys
    if "id" in keys:
        return [row.contact_id for row in rows]
    if "token" in keys:
        return [held.holder(row, policy.match.token_kinds) for row in rows]
    if "field" in keys and policy.match.field_id is not None:
        return await store.match_by_field(conn, org_id, rows, policy.match)
    return [None] * len(rows)


async def _join_groups(conn: Connection, org_id: int, written: Sequence[tuple[int, ContactRow]]) -> None:
    names = {name for _, row in written for name in row.groups}
    if names:
        ids = await ensure_static(conn, org_id, names)
        await store.join_segments(
            conn, org_id, [(ids[name], contact_id) for contact_id, row in written for name in row.groups]
        )


@asynccontextmanager
async def _few_round_trips(conn: Connection, rows: int) -> AsyncIterator[None]:
    """A statement whose answer nobody waits for travels with the next; not where COPY may be used."""
    if rows >= MANY:
        yield
    else:
        async with conn.pipeline():
            yield
