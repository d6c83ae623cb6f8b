"""The pool of promo codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json
from perigee.promocodes.types import PromoCode

_PATH = "/api/v4/promo-codes"
CODES_PER_CALL = 10_000


async def store_promo_codes(transport: Transport, codes: Sequence[Mapping[str, Any]]) -> int:
    """Adds codes or changes known ones, any number of them, in calls of 10,000. Each has `code`, `discount`,
    `expires_at` (the organisation's time zone without an offset), and may have `type` and `in_use`."""
    stored = 0
    for start in range(0, len(codes), CODES_PER_CALL):
        body = {"codes": codes[start : start + CODES_PER_CALL]}
        stored += (await transport.call("POST", _PATH, json(dict[str, int]), body=body))["stored"]
    return stored


async def list_promo_codes(
    transport: Transport, *, kind: str | None = None, in_use: bool | None = None, limit: int | None = None
) -> list[PromoCode]:
    """By code; at most `limit` of them."""
    return await cursor_list(transport, _PATH, PromoCode, limit=limit, type=kind, in_use=in_use)


async def count_promo_codes(
    transport: Transport, *, kind: str | None = None, discount: int | None = None, days: int | None = None
) -> int:
    """How many are left: not in use, and valid for so many days from tomorrow."""
    query = {"type": kind, "discount": discount, "activeDueDays": days}
    return await transport.call("GET", "/api/v1/promocodes/count", json(int), query=query)
