"""Imports of orders: how a file of them is read, and how a block is written (product 3 and 9, journey J3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from perigee.accounts.rights import Right
from perigee.db import plans
from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.events.people import find
from perigee.events.types import Person
from perigee.imports.erased import Owner
from perigee.imports.orders.clean import Draft, Reading, clean_block
from perigee.imports.orders.statuses import status_words
from perigee.imports.orders.targets import TARGETS, WHO
from perigee.imports.people.seen import Seen
from perigee.imports.types import Applied, Block, Cleaned, Import, Plan, Remark, Target
from perigee.orders import store
from perigee.orders.clean import clean_currency, clean_status
from perigee.orders.upsert import upsert

Unmatched = Literal["keep", "create", "skip"]


class OrderOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for the whole file."""

    unmatched: Unmatched = "keep"
    """Orders whose customer is nobody here: kept as nobody's and reported, given a new contact, or left out and
    reported."""
    status: str | None = None
    """Of orders that say none."""
    statuses: dict[str, str] = {}
    """What words of the file mean, like {"paid": "DELIVERED"}; common ones are known."""
    currency: str | None = None
    """Of orders that say none; else the organisation's."""
    source: Literal["online", "offline"] | None = None
    """Of orders that say none."""
    events: bool = False
    """The event `order<STATUS>` for each, as if they had just come in; workflows start from it."""


class OrderKind:
    name: Literal["orders"] = "orders"
    right = Right.FULL

    async def targets(self, conn: Connection, org_id: int) -> list[Target]:
        return list(TARGETS)

    async def prepare(self, conn: Connection, org_id: int, given: Import, plan: Plan) -> Plan:
        return plan

    async def open(self, conn: Connection, org_id: int, plan: Plan) -> OrderRun:
        options = options_of(plan)
        columns = {int(one.column): one.target for one in plan.columns}
        _check(columns, options)
        if plan.import_empty:
            raise Invalid("import_empty: a blank cell of an order says nothing", field="import_empty")
        zone = ZoneInfo(await store.time_zone(conn, org_id))
        given = {
            "status": None if options.status is None else clean_status(options.status),
            "currency": clean_currency(options.currency),
            "source": options.source,
        }
        reading = Reading(columns, status_words(options.statuses), given, zone, plan.dates, plan.decimal_sign)
        return OrderRun(org_id, options, reading)


KIND: Final = OrderKind()


def options_of(plan: Plan) -> OrderOptions:
    """Raises Invalid, which names the member."""
    try:
        return msgspec.convert(plan.options, OrderOptions)
    except msgspec.ValidationError as error:
        raise Invalid(f"options: {error}", field="options") from None


def _check(columns: dict[int, str], options: OrderOptions) -> None:
    """Whether every order can have what it must have."""
    mapped = set(columns.values())
    missing = [name for name in ("order_id", "date") if name not in mapped]
    if "status" not in mapped and options.status is None:
        missing.append("status (or options.status)")
    if "total" not in mapped and not {"item_id", "item_cost"} <= mapped:
        missing.append("total (or item_id and item_cost)")
    if not mapped & set(WHO):
        missing.append(" or ".join(WHO))
    if missing:
        raise Invalid("columns: none is mapped to " + ", nor to ".join(missing), field="columns")
    if "items" in mapped and "item_id" in mapped:
        raise Invalid("columns: items stand in one column, or in rows of their own", field="columns")


class OrderRun:
    def __init__(self, org_id: int, options: OrderOptions, reading: Reading) -> None:
        self._org_id = org_id
        self._options = options
        self._reading = reading
        self._seen = Seen()
        places = {target: place for place, target in reading.columns.items()}
        self.together: int | None = places["order_id"] if reading.has_items else None

    def clean(self, block: Block) -> Cleaned:
        return clean_block(block, self._reading)

    def owners(self, cleaned: Cleaned) -> list[Owner]:
        drafts: Sequence[Draft] = cleaned.items
        return [
            Owner(one.lines, None, one.order.who.external_id, one.order.who.email, one.order.who.phone)
            for one in drafts
        ]

    async def apply(self, conn: Connection, cleaned: Cleaned) -> Applied:
        drafts: Sequence[Draft] = cleaned.items
        if not drafts:
            return Applied(remarks=cleaned.remarks)
        await plans.by_key(conn)
        known = await store.known_orders(
            conn, self._org_id, sorted({draft.order.external_order_id for draft in drafts})
        )
        remarks = list(cleaned.remarks)
        if self._reading.has_items:
            drafts = self._whole(drafts, known, remarks)
        people = await find(conn, self._org_id, [draft.order.who for draft in drafts], narrow=False)
        drafts, skipped = self._matched(drafts, people, remarks)
        options = self._options
        order_ids = await upsert(
            conn,
            self._org_id,
            [draft.order for draft in drafts],
            create=options.unmatched == "create",
            tell=options.events,
        )
        return self._tally(drafts, order_ids, known)._replace(skipped=skipped, remarks=remarks)

    def _whole(self, drafts: Sequence[Draft], known: dict[str, int], remarks: list[Remark]) -> list[Draft]:
        """Those that no earlier block wrote items of: these would be lost."""
        whole: list[Draft] = []
        for draft in drafts:
            if -known.get(draft.order.external_order_id, 0) not in self._seen:
                whole.append(draft)
                continue
            rule = "the rows of this order do not stand together; sort the file by order"
            remarks += [
                Remark(line, "error", None, draft.order.external_order_id, rule) for line in draft.lines
            ]
        return whole

    def _matched(
        self, drafts: Sequence[Draft], people: Sequence[Person | None], remarks: list[Remark]
    ) -> tuple[list[Draft], int]:
        """The drafts that are written, and the rows of the others."""
        unmatched = self._options.unmatched
        if unmatched == "create":
            return list(drafts), 0
        written: list[Draft] = []
        skipped = 0
        for draft, person in zip(drafts, people, strict=True):
            if person is None:
                remarks.append(self._stranger(draft))
            if person is None and unmatched == "skip":
                skipped += len(draft.lines)
            else:
                written.append(draft)
        return written, skipped

    def _stranger(self, draft: Draft) -> Remark:
        who = draft.order.who
        value = who.external_id or who.email or who.phone
        said = {"external_customer_id": who.external_id, "email": who.email, "phone": who.phone}
        target = next(name for name, one in said.items() if one == value)
        column = next((place for place, name in self._reading.columns.items() if name == target), None)
        if self._options.unmatched == "skip":
            return Remark(
                draft.lines[0], "skipped", column, value, "there is no such contact; the order is left out"
            )
        return Remark(
            draft.lines[0], "warning", column, value, "there is no such contact; the order is nobody's"
        )

    def _tally(self, drafts: Sequence[Draft], order_ids: Sequence[int], known: dict[str, int]) -> Applied:
        """Every row counts once. An order that an earlier row was about is a duplicate."""
        created = updated = duplicates = 0
        here: dict[int, None] = {}
        for draft, order_id in zip(drafts, order_ids, strict=True):
            rows = len(draft.lines)
            if -order_id in here or -order_id in self._seen:
                duplicates += rows
                continue
            here[-order_id] = None
            if draft.order.external_order_id in known:
                updated += rows
            else:
                created += rows
        return Applied(created, updated, duplicates, ids=list(here))

    def committed(self, ids: Sequence[int]) -> None:
        """Orders go by their ids below zero: erasing contacts takes contact ids out of what a step touched."""
        self._seen.add(ids)

    async def finish(self, conn: Connection, done: Import) -> None:
        """Nothing: an import of orders has no end of its own."""
