"""Events that a page sends for its push token: `es('sendEvent', eventTypeKey, token, params)` (TRACKING 4.2).

Anybody may call, so the token alone says who it is, whatever the parameters hold, and an event that would change
orders is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from perigee.db.pool import Connection
from perigee.errors import Invalid, NotFound, PerigeeError
from perigee.events.intake import clean_params
from perigee.events.keys import check_type_key
from perigee.events.record import record
from perigee.events.structure import WrongStructure, fits
from perigee.events.types import NewEvent
from perigee.events.types_registry import ensure_types
from perigee.lib.scalars import to_text
from perigee.orders.from_events import ORDER_EVENTS
from perigee.push import webpush_store as store
from perigee.push.subscriptions import SOURCE
from perigee.push.webpush_intake import TOKEN_LENGTH
from perigee.push.webpush_types import PushEventIn


class PushEvent(NamedTuple):
    type_key: str
    token: str
    params: dict[str, Any]


def clean(body: PushEventIn) -> PushEvent:
    """Raises Invalid. Pure."""
    key = to_text("eventTypeKey", body.event_type_key)
    token = to_text("token", body.token, limit=TOKEN_LENGTH)
    if key is None:
        raise Invalid("eventTypeKey: is required", field="eventTypeKey")
    if token is None:
        raise Invalid("token: is required", field="token")
    key = check_type_key(key)
    if key in ORDER_EVENTS:
        raise Invalid.of("eventTypeKey", key, "changes orders, which a page may not")
    return PushEvent(key, token, clean_params(body.params, 3))


async def post(conn: Connection, org_id: int, items: Sequence[PushEvent]) -> list[PerigeeError | None]:
    """The set function behind POST webpush/events. Per item: NotFound for an unknown token, WrongStructure."""
    holders = await store.holders(conn, org_id, sorted({item.token for item in items}))
    known = [item for item in items if item.token in holders]
    types = await ensure_types(conn, org_id, {item.type_key for item in known})
    results: list[PerigeeError | None] = []
    events = []
    for item in items:
        if item.token not in holders:
            results.append(NotFound("The token is not found"))
            continue
        kind = types[item.type_key]
        if kind.validate_params and not fits(kind.params, item.params):
            results.append(WrongStructure(kind.params))
            continue
        results.append(None)
        events.append(
            NewEvent(item.type_key, item.token, holders[item.token], params=item.params, source=SOURCE)
        )
    await record(conn, org_id, events, types=types)
    return results
