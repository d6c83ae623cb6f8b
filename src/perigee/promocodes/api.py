"""/api/v4/promo-codes: the pool, with every code's own members."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from perigee.errors import Invalid
from perigee.http.operation import bulk_limit
from perigee.http.v4 import PAGE, Call, Page, Query, operation, page_limit
from perigee.lib.scalars import to_bool, to_text
from perigee.promocodes import clean, store
from perigee.promocodes.types import CODE_LENGTH, Code, Filters, NewCode, PromoCode

_MEMBERS = {"promocodes": "code", "expirationDate": "expires_at"}


class CodeIn(msgspec.Struct, forbid_unknown_fields=True):
    """`expires_at` without an offset is in the organisation's time zone. `in_use` absent leaves it as it is."""

    code: Code
    discount: int
    expires_at: str
    type: str | None = None
    in_use: bool | None = None


class CodesIn(msgspec.Struct, forbid_unknown_fields=True):
    """Of repeats the last one counts."""

    codes: list[CodeIn]


class Stored(msgspec.Struct):
    stored: int
    """Different codes that were added or changed."""


@operation(
    "POST",
    "/promo-codes",
    body=CodesIn,
    answer=Stored,
    body_limit=bulk_limit,
    example={
        "codes": [
            {"code": "MAY-1", "discount": 10, "expires_at": "2025-12-31T23:59", "type": "type1"},
            {"code": "MAY-2", "discount": 15, "expires_at": "2025-12-31T23:59"},
        ]
    },
    answer_example={"stored": 2},
)
async def store_promo_codes(call: Call) -> Stored:
    """Add promo codes or change known ones, all or none."""
    wanted = await call.json(CodesIn)
    zone = ZoneInfo(call.principal.time_zone)
    codes = [_code(index, one, zone) for index, one in enumerate(wanted.codes)]
    async with call.context.database.transaction() as conn:
        return Stored(await store.upsert_codes(conn, call.org_id, codes))


@operation(
    "GET",
    "/promo-codes",
    answer=Page[PromoCode],
    query=(
        *PAGE,
        Query("type", str, "Only codes of this type"),
        Query("in_use", bool, "Only codes that are in use, or only those that are not"),
    ),
)
async def list_promo_codes(call: Call) -> Page[PromoCode]:
    """List promo codes, by code."""
    limit = page_limit(call)
    after = to_text("cursor", call.query.get("cursor"), limit=CODE_LENGTH)
    filters = Filters(
        type=clean.type_of(call.query.get("type")), in_use=to_bool("in_use", call.query.get("in_use"))
    )
    async with call.context.database.connection() as conn:
        rows = await store.list_codes(conn, call.org_id, filters, rows=limit + 1, after=after)
    page: Page[PromoCode] = Page(rows[:limit])
    if len(rows) > limit:
        page.next = rows[limit - 1].code
    return page


def _code(index: int, given: CodeIn, zone: ZoneInfo) -> NewCode:
    try:
        return NewCode(
            clean.codes(given.code)[0],
            clean.discount(given.discount),
            clean.expiration(given.expires_at, zone),
            clean.type_of(given.type),
            given.in_use,
        )
    except Invalid as error:
        # The old wire's names to ours, and which of the many it is.
        member = f"codes[{index}].{_MEMBERS.get(error.field or '', error.field)}"
        raise Invalid(
            f"{member}:{error.message.partition(':')[2]}", field=member, value=error.value
        ) from None
