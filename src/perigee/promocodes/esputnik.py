"""The old wire's methods of promo codes (contract 21.1–21.3)."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from perigee.esputnik.face import Answer, Call, Query, Right, bulk_limit, listing, operation, page
from perigee.lib.dates import wire_minutes
from perigee.lib.scalars import to_bool, to_int
from perigee.promocodes import clean, store
from perigee.promocodes.types import MOST_DISCOUNT, Filters, NewCode, PromoCode
from perigee.promocodes.validity import MOST_DAYS, valid_at

MOST_ROWS = 100_000
"""Codes of one answer; `startindex` leads on."""

BODY = {
    "promocodes": ["MAY-1", "MAY-2"],
    "expirationDate": "2025-12-31T23:59",
    "discount": 10,
    "type": "type1",
    "inUse": False,
}

_FILTERS = (
    Query("type", str, "Only codes of this type", example="type1"),
    Query("discount", int, "Only codes with this discount", example=10),
    Query("activeDueDays", int, "Only codes that hold for so many days from tomorrow", example=7),
)


class WireCode(msgspec.Struct, rename="camel", omit_defaults=True):
    code: str
    discount: int
    expiration_date: str
    type: str | None = None
    in_use: bool | msgspec.UnsetType = msgspec.UNSET


class WireUpload(msgspec.Struct, rename="camel"):
    """Numbers may be text, one code may stand for a list, and the query may bring all but the codes."""

    promocodes: list[Any] | str | int | None = None
    expiration_date: str | None = None
    discount: int | float | str | None = None
    type: str | int | None = None
    in_use: bool | int | str | None = None


class Uploaded(msgspec.Struct, rename="camel", omit_defaults=True):
    """The upload as it was understood."""

    promocodes: list[str]
    expiration_date: str
    discount: int
    type: str | None = None
    in_use: bool | None = None


@operation(
    "GET",
    "/v1/promocodes",
    section="21.1",
    right=Right.FULL,
    answer=list[WireCode],
    query=(
        _FILTERS[0],
        Query("inUse", bool, "Only codes that are in use, or only those that are not", example=False),
        *_FILTERS[1:],
        Query("startindex", int, "First row, counted from 1", default=1),
        Query("maxrows", int, "Rows", default=MOST_ROWS),
    ),
    answer_example=[
        {
            "code": "MAY-1",
            "discount": 10,
            "type": "type1",
            "expirationDate": "2025-12-31T23:59",
            "inUse": False,
        }
    ],
)
async def list_promocodes(call: Call) -> Answer:
    """List promo codes, by code."""
    skip, rows = page(call, default=MOST_ROWS, most=MOST_ROWS)
    filters = _filters(call)._replace(in_use=to_bool("inUse", call.query.get("inUse")))
    async with call.context.database.connection() as conn:
        found = await store.list_codes(conn, call.org_id, filters, rows=rows, skip=skip)
        total = await store.count_codes(conn, call.org_id, filters)
    zone = ZoneInfo(call.principal.time_zone)
    return listing([_wire(code, zone) for code in found], total)


@operation(
    "GET",
    "/v1/promocodes/count",
    section="21.3",
    right=Right.FULL,
    answer=int,
    query=_FILTERS,
    answer_example=42,
)
async def count_promocodes(call: Call) -> int:
    """How many promo codes are left: not in use, and still valid."""
    filters = _filters(call)
    if filters.valid_at is None:
        filters = filters._replace(valid_at=call.context.now())
    async with call.context.database.connection() as conn:
        return await store.count_codes(conn, call.org_id, filters._replace(in_use=False))


@operation(
    "POST",
    "/v1/promocodes",
    section="21.2",
    right=Right.FULL,
    body=WireUpload,
    answer=Uploaded,
    body_limit=bulk_limit,
    query=(
        Query("expirationDate", str, "Where the body has none", example="2025-12-31T23:59"),
        Query("discount", int, "Where the body has none", example=10),
        Query("type", str, "Where the body has none", example="type1"),
        Query("inUse", bool, "Where the body has none", example=False),
    ),
    example=BODY,
    answer_example=BODY,
)
async def upload_promocodes(call: Call) -> Uploaded:
    """Add promo codes, or change known ones. Without `inUse` a code that is in use stays so."""
    body = await call.json(WireUpload)
    zone = ZoneInfo(call.principal.time_zone)
    query = call.query.get
    codes = clean.codes(body.promocodes)
    expires_at = clean.expiration(clean.first_given(body.expiration_date, query("expirationDate")), zone)
    discount = clean.discount(clean.first_given(body.discount, query("discount")))
    kind = clean.type_of(clean.first_given(body.type, query("type")))
    in_use = to_bool("inUse", clean.first_given(body.in_use, query("inUse")))
    async with call.context.database.transaction() as conn:
        await store.upsert_codes(
            conn, call.org_id, [NewCode(code, discount, expires_at, kind, in_use) for code in codes]
        )
    return Uploaded(codes, wire_minutes(expires_at, zone), discount, kind, in_use)


def _filters(call: Call) -> Filters:
    days = to_int("activeDueDays", call.query.get("activeDueDays"), low=0, high=MOST_DAYS)
    moment = None
    if days is not None:
        moment = valid_at(call.context.now(), ZoneInfo(call.principal.time_zone), days)
    return Filters(
        type=clean.type_of(call.query.get("type")),
        discount=to_int("discount", call.query.get("discount"), low=0, high=MOST_DISCOUNT),
        valid_at=moment,
    )


def _wire(code: PromoCode, zone: ZoneInfo) -> WireCode:
    return WireCode(code.code, code.discount, wire_minutes(code.expires_at, zone), code.type, code.in_use)
