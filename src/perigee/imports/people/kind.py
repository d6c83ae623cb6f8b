"""Imports of contacts: what the wizard offers, and how a block is written (product 3, journey J2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from perigee.accounts.rights import Right
from perigee.contacts import field_store
from perigee.contacts.bulk_options import Options
from perigee.contacts.clean import group_names
from perigee.contacts.policy import Policy
from perigee.contacts.rows import ContactRow
from perigee.contacts.store import join_segments
from perigee.contacts.upsert import Action, Done, Result, upsert
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.events.keys import check_type_key
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.imports.erased import Owner
from perigee.imports.people.clean import Reading, clean_block, rule_of
from perigee.imports.people.seen import Seen
from perigee.imports.people.targets import FIELD, targets
from perigee.imports.types import Applied, Block, Cleaned, Import, Mapped, Plan, Remark, Target
from perigee.segments import store as segments
from perigee.segments.static import ensure_static

_UNIQUE: Final = {
    "email": ("email", ("email",)),
    "phone": ("sms", ("phone",)),
    "email_or_phone": ("email_or_sms", ("email", "phone")),
    "external_id": ("externalCustomerId", ("external_id",)),
    "id": ("id", ("id",)),
}
"""`unique` → the bulk call's `dedupeOn`, and the targets of which a row needs one."""


class ContactOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`unique`: what people are found by: email, phone, email_or_phone, external_id, id, or `fields.ID`."""

    unique: str = "email"
    lists: list[str] = []
    """Names of lists that everybody joins, made if missing."""
    list_ids: list[int] = []
    """Existing lists that everybody joins."""
    restore_deleted: bool = False
    """Deleted people of the file are brought back and updated; else their rows are skipped."""
    consent: bool = True
    """They agreed to be written to: emails count as confirmed. False: new ones wait for their owners."""
    event: str | None = None
    """Type of the event that happens once, after the import, when it made somebody new. Its parameter `segmentId` is
    a list of the new people."""
    new_list_id: int | None = None
    """The list of the new people; it is made by the start of the import and not given by a caller."""


class ContactKind:
    name: Literal["contacts"] = "contacts"
    right = Right.CONTACT_UPDATE

    async def targets(self, conn: Connection, org_id: int) -> list[Target]:
        return targets(await field_store.groups_with_fields(conn, org_id))

    async def prepare(self, conn: Connection, org_id: int, given: Import, plan: Plan) -> Plan:
        options = options_of(plan)
        if options.new_list_id is not None:
            raise Invalid.of("options.new_list_id", options.new_list_id, "is not given by callers")
        names = group_names("options.lists", list(options.lists))
        made = await ensure_static(conn, org_id, names)
        await _check_lists(conn, org_id, options.list_ids)
        new_list_id = None
        if options.event is not None:
            check_type_key(options.event, field="options.event")
            name = f"New contacts of import {given.import_id}"
            new_list_id = (await ensure_static(conn, org_id, [name]))[name]
        settled = msgspec.structs.replace(
            options,
            list_ids=sorted({*options.list_ids, *made.values()}),
            new_list_id=new_list_id,
        )
        return msgspec.structs.replace(plan, options=msgspec.to_builtins(settled))

    async def open(self, conn: Connection, org_id: int, plan: Plan) -> ContactRun:
        options = options_of(plan)
        zone, fields = await field_store.definitions(conn, org_id)
        known = {str(field.field_id): field for field in fields}
        columns = dict(map(_placed, plan.columns))
        keys, policy = _policy(options, known)
        if not set(keys) & set(columns.values()):
            raise Invalid.of(
                "options.unique", options.unique, f"needs a column that is mapped to {' or '.join(keys)}"
            )
        if gone := [name for name in columns.values() if name.startswith(FIELD) and name[7:] not in known]:
            raise Invalid.of("columns", gone[0], "is a field that there is no more")
        reading = Reading(
            columns, keys, known, ZoneInfo(zone), plan.dates, plan.decimal_sign, plan.import_empty
        )
        return ContactRun(org_id, options, reading, policy)


KIND: Final = ContactKind()


def options_of(plan: Plan) -> ContactOptions:
    """Raises Invalid, which names the member."""
    try:
        return msgspec.convert(plan.options, ContactOptions)
    except msgspec.ValidationError as error:
        raise Invalid(f"options: {error}", field="options") from None


def _placed(one: Mapped) -> tuple[int, str]:
    assert isinstance(one.column, int)
    return one.column, one.target


def _policy(options: ContactOptions, fields: dict[str, Any]) -> tuple[tuple[str, ...], Policy]:
    """What rows need, and how people are found and written."""
    if options.unique.startswith(FIELD) and options.unique[7:] in fields:
        keys: tuple[str, ...] = (options.unique,)
        like = Options("fieldId", field_id=int(options.unique[7:]), restore=options.restore_deleted)
    elif options.unique in _UNIQUE:
        dedupe_on, keys = _UNIQUE[options.unique]
        like = Options(dedupe_on, restore=options.restore_deleted)
    else:
        raise Invalid.of(
            "options.unique", options.unique, "must be one of " + ", ".join(_UNIQUE) + ", fields.ID"
        )
    made = like.policy("import")
    return keys, replace(made, write=replace(made.write, fields=None), confirmed=options.consent)


async def _check_lists(conn: Connection, org_id: int, list_ids: Sequence[int]) -> None:
    for list_id in dict.fromkeys(list_ids):
        found = await segments.lock_segment(conn, org_id, list_id)
        if found is None or found.kind != "static":
            raise Invalid.of("options.list_ids", list_id, "is not the id of a list")


class ContactRun:
    together: int | None = None

    def __init__(self, org_id: int, options: ContactOptions, reading: Reading, policy: Policy) -> None:
        self._org_id = org_id
        self._options = options
        self._reading = reading
        self._policy = policy
        self._seen = Seen()

    def clean(self, block: Block) -> Cleaned:
        return clean_block(block, self._reading)

    def owners(self, cleaned: Cleaned) -> list[Owner]:
        return [
            Owner([line], row.contact_id, row.external_id, row.email, row.phone)
            for line, row in zip(cleaned.lines, cleaned.items, strict=True)
        ]

    async def apply(self, conn: Connection, cleaned: Cleaned) -> Applied:
        rows: Sequence[ContactRow] = cleaned.items
        results = await upsert(conn, self._org_id, rows, self._policy)
        applied = _tally(cleaned.lines, results, self._seen)
        await self._join_lists(conn, results, applied.ids)
        return applied._replace(
            remarks=[*_about_people(cleaned.remarks, cleaned.lines, results), *applied.remarks]
        )

    async def _join_lists(
        self, conn: Connection, results: Sequence[Result], contact_ids: Sequence[int]
    ) -> None:
        pairs = [(list_id, contact_id) for list_id in self._options.list_ids for contact_id in contact_ids]
        if (new_list := self._options.new_list_id) is not None:
            pairs += [
                (new_list, one.contact_id)
                for one in results
                if isinstance(one, Done) and one.action is Action.CREATED
            ]
        await join_segments(conn, self._org_id, pairs)

    def committed(self, ids: Sequence[int]) -> None:
        self._seen.add(ids)

    async def finish(self, conn: Connection, done: Import) -> None:
        """An import's event happens once, for all new people together (product 3)."""
        options = self._options
        if options.event is not None and options.new_list_id is not None and done.counts.created:
            params = {
                "importId": done.import_id,
                "segmentId": options.new_list_id,
                "contacts": done.counts.created,
            }
            event = NewEvent(options.event, f"import {done.import_id}", params=params, source="import")
            await record(conn, self._org_id, [event])


def _about_people(remarks: Sequence[Remark], lines: Sequence[int], results: Sequence[Result]) -> list[Remark]:
    """With the contact of each row that was kept."""
    if not remarks:
        return []
    ids = {line: one.contact_id for line, one in zip(lines, results, strict=True) if isinstance(one, Done)}
    return [one._replace(subject=ids.get(one.line)) for one in remarks]


def _tally(lines: Sequence[int], results: Sequence[Result], seen: Seen) -> Applied:
    """Every row counts once. A person whom an earlier row was about is a duplicate."""
    counts = dict.fromkeys(Action, 0)
    duplicates = 0
    here: dict[int, None] = {}
    remarks: list[Remark] = []
    for line, result in zip(lines, results, strict=True):
        if not isinstance(result, Done):
            value = getattr(result, "value", None)
            remarks.append(
                Remark(line, "error", None, None if value is None else str(value), rule_of(result))
            )
        elif result.action is Action.SKIPPED:
            counts[Action.SKIPPED] += 1
            rule = "the contact is deleted and deleted contacts are not restored"
            remarks.append(Remark(line, "skipped", None, None, rule, result.contact_id))
        elif result.contact_id in here or result.contact_id in seen:
            duplicates += 1
        else:
            here[result.contact_id] = None
            counts[result.action] += 1
    return Applied(
        created=counts[Action.CREATED],
        updated=counts[Action.UPDATED] + counts[Action.RESTORED],
        duplicates=duplicates,
        skipped=counts[Action.SKIPPED],
        remarks=remarks,
        ids=list(here),
    )
