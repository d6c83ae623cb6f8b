"""/api/v4: duplicates, merging them, and taking them apart again."""

from __future__ import annotations

from typing import Any, Literal, cast, get_args

import msgspec

from perigee.contacts.merging import runs, store
from perigee.contacts.merging.cards import Choice
from perigee.contacts.merging.merge import merge_two
from perigee.contacts.merging.types import (
    DuplicateCounts,
    DuplicateGroup,
    Keep,
    Merge,
    MergeRun,
    Pair,
    Shared,
)
from perigee.contacts.merging.undo import undo
from perigee.errors import Invalid, NotFound
from perigee.http.v4 import PAGE, Call, Created, Page, Query, Right, cursor_page, operation

EXAMPLE_MERGE: dict[str, Any] = {
    "merge_id": 1,
    "survivor_id": 100001,
    "merged_id": 100002,
    "merged_by": "key 1",
    "at": "2026-03-10T09:00:00Z",
    "undone_by": None,
    "undone_at": None,
    "can_be_undone": True,
}


class MergeRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`contact_id` becomes part of the contact of the path. `prefer`: of two different values the one of the contact
    changed last, or the survivor's; identifiers (external_id, email, phone) are always the survivor's own if it has them.
    `take`: members that come from the merged contact in any case: external_id, email, phone, first_name, last_name,
    contact_key, language, time_zone, orders_info, address, fields."""

    contact_id: int
    prefer: Literal["newest", "survivor"] = "newest"
    take: list[str] = []
    forget_external_id: bool = False


class RunRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`by`: the address that duplicates share. Of each group the contact with an external id stays, else the earlier or
    the later made one."""

    by: Shared = "email"
    keep: Keep = "earlier"


@operation(
    "GET",
    "/duplicates",
    right=Right.CONTACT_READ,
    answer=Page[DuplicateGroup],
    query=(Query("by", Literal["email", "phone"], "the address they share", default="email"), *PAGE),
)
async def list_duplicates(call: Call) -> Page[DuplicateGroup]:
    """List groups of living contacts that share an email or a phone."""
    shared = _shared(call.query.get("by") or "email")
    behind, limit = cursor_page(call)
    async with call.context.database.connection() as conn:
        after = await store.address_of(conn, call.org_id, shared, behind) if behind else None
        if behind and after is None:
            raise Invalid.of(
                "cursor", behind, "must be a cursor of an earlier page, whose contacts are still there"
            )
        found = await store.groups(conn, call.org_id, shared, after=after, rows=limit + 1)
    page = Page(found[:limit])
    if len(found) > limit:
        page.next = str(found[limit - 1].contact_ids[0])
    return page


def _shared(given: str) -> Shared:
    for one in get_args(Shared):
        if given == one:
            return cast(Shared, one)
    raise Invalid.of("by", given, "must be email or phone")


@operation("GET", "/duplicates/count", right=Right.CONTACT_READ, answer=DuplicateCounts)
async def count_duplicates(call: Call) -> DuplicateCounts:
    """Count the groups of contacts that share an address, and the contacts in them."""
    async with call.context.database.connection() as conn:
        return await store.count(conn, call.org_id)


@operation(
    "POST",
    "/duplicates/merge",
    body=RunRequest,
    answer=MergeRun,
    example={"by": "email", "keep": "earlier"},
)
async def merge_duplicates(call: Call) -> Created:
    """Merge all duplicates in the background."""
    given = await call.json(RunRequest)
    async with call.context.database.transaction() as conn:
        return Created(await runs.start(conn, call.org_id, given.by, given.keep, by=call.principal.actor))


@operation("GET", "/duplicates/merge/{run_id:int}", answer=MergeRun)
async def get_merge_run(call: Call) -> MergeRun:
    """Say how far a run over all duplicates is."""
    async with call.context.database.connection() as conn:
        return await runs.get(conn, call.org_id, call.path["run_id"])


@operation("POST", "/duplicates/merge/{run_id:int}/cancel", answer=MergeRun, refusals=(409,))
async def cancel_merge_run(call: Call) -> MergeRun:
    """Stop a run over all duplicates; what was merged stays merged."""
    async with call.context.database.transaction() as conn:
        return await runs.cancel(conn, call.org_id, call.path["run_id"])


@operation(
    "POST",
    "/contacts/{contact_id:int}/merge",
    body=MergeRequest,
    answer=Merge,
    example={"contact_id": 100002, "prefer": "newest", "take": ["phone"]},
    answer_example=EXAMPLE_MERGE,
    refusals=(409,),
)
async def merge_contacts(call: Call) -> Created:
    """Merge another contact into this one: lists, tokens, events, orders, messages and missing fields come along."""
    given = await call.json(MergeRequest)
    choice = Choice(given.prefer, tuple(given.take), given.forget_external_id)
    async with call.context.database.transaction() as conn:
        return Created(
            await merge_two(
                conn,
                call.org_id,
                Pair(call.path["contact_id"], given.contact_id),
                choice,
                by=call.principal.actor,
                now=call.context.now(),
            )
        )


@operation(
    "GET",
    "/merges",
    right=Right.CONTACT_READ,
    answer=Page[Merge],
    query=(Query("contact_id", int, "in which this contact was the survivor or the merged one"), *PAGE),
)
async def list_merges(call: Call) -> Page[Merge]:
    """List merges, newest first."""
    before, limit = cursor_page(call)
    given = call.query.get("contact_id")
    if given and not (given.isdecimal() and len(given) <= 18):
        raise Invalid.of("contact_id", given, "must be the id of a contact")
    async with call.context.database.connection() as conn:
        found = await store.merges(
            conn, call.org_id, contact_id=int(given) if given else None, before=before, rows=limit + 1
        )
    page = Page(found[:limit])
    if len(found) > limit:
        page.next = str(found[limit - 1].merge_id)
    return page


@operation(
    "GET", "/merges/{merge_id:int}", right=Right.CONTACT_READ, answer=Merge, answer_example=EXAMPLE_MERGE
)
async def get_merge(call: Call) -> Merge:
    """Read a merge."""
    merge_id = call.path["merge_id"]
    async with call.context.database.connection() as conn:
        found = await store.merges(conn, call.org_id, merge_id=merge_id)
    if not found:
        raise NotFound(f"Merge with id='{merge_id}' is not found")
    return found[0]


@operation(
    "POST",
    "/merges/{merge_id:int}/undo",
    answer=Merge,
    answer_example=EXAMPLE_MERGE,
    refusals=(409,),
)
async def undo_merge(call: Call) -> Merge:
    """Undo a merge: both contacts are there again, each with what was its."""
    async with call.context.database.transaction() as conn:
        return await undo(conn, call.org_id, call.path["merge_id"], by=call.principal.actor)
