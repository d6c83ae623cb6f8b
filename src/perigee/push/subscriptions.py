"""New subscriptions, written set-wise: whose they are, and the contact that each makes where it is nobody's.

The token joins the contact that the browser is known to be: by its visitor id, by a link in a message, by the
subscription it had before; else it makes a contact of its own (TRACKING 4.3). Nothing else of a contact changes, but
for a language that is missing (product 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from perigee.contacts.policy import Match, Policy
from perigee.contacts.rows import ContactRow, Token
from perigee.contacts.upsert import Done, upsert
from perigee.db import plans
from perigee.db.pool import Connection
from perigee.errors import PerigeeError
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.push import webpush_store as store
from perigee.push.webpush_types import Subscribed, Subscription
from perigee.site.types import Strength
from perigee.site.visitors import Sighting, resolve

NEW_SUBSCRIPTION = "newWebpushSubscription"
SOURCE = "webpush"

_KNOWN = Policy(Match(("id",), "check", restore=False), source=SOURCE)
_BY_TOKEN = Policy(Match(("token",), "create", token_kinds=frozenset({"webpush"})), source=SOURCE)


class _Known(NamedTuple):
    contact_id: int | None
    has_language: bool


async def subscribe(
    conn: Connection, org_id: int, items: Sequence[Subscription]
) -> list[Subscribed | PerigeeError]:
    """The set function behind POST webpush/subscriptions."""
    await plans.by_key(conn)
    known = await _known(conn, org_id, items)
    written = await _write(conn, org_id, items, known)
    good = [
        (item, result.contact_id)
        for item, result in zip(items, written, strict=True)
        if isinstance(result, Done)
    ]
    if good:
        await _settle(conn, org_id, good)
    return [
        Subscribed(item.token, result.contact_id) if isinstance(result, Done) else result
        for item, result in zip(items, written, strict=True)
    ]


async def _known(conn: Connection, org_id: int, items: Sequence[Subscription]) -> list[_Known]:
    """The contact each browser is known to be, if there still is such a contact, and whether it has a language."""
    named = await store.living(conn, org_id, {item.contact_id for item in items if item.contact_id})
    seen = await resolve(
        conn,
        org_id,
        [
            Sighting(item.visitor_id, item.contact_id if item.contact_id in named else None, Strength.LINK)
            for item in items
        ],
    )
    tokens = {token for item in items for token in (item.token, item.replaces) if token}
    holders = await store.holders(conn, org_id, tokens)
    found = [
        (contact or holders.get(item.replaces or ""), holders.get(item.token))
        for item, contact in zip(items, seen, strict=True)
    ]
    alive = await store.living(conn, org_id, {contact for pair in found for contact in pair if contact})
    known = []
    for contact, holder in found:
        contact_id = contact if contact in alive else None
        known.append(_Known(contact_id, alive.get(contact_id or holder or 0, False)))
    return known


async def _write(
    conn: Connection, org_id: int, items: Sequence[Subscription], known: Sequence[_Known]
) -> list[Done | PerigeeError]:
    results: dict[int, Done | PerigeeError] = {}
    for policy, wanted in ((_KNOWN, True), (_BY_TOKEN, False)):
        places = [place for place, one in enumerate(known) if (one.contact_id is not None) == wanted]
        rows = [_row(items[place], known[place]) for place in places]
        results |= zip(places, await upsert(conn, org_id, rows, policy), strict=True)
    return [results[place] for place in range(len(items))]


def _row(item: Subscription, known: _Known) -> ContactRow:
    token = Token("webpush", item.token, str(item.app_id), True, item.browser.device())
    return ContactRow(
        contact_id=known.contact_id,
        language=None if known.has_language else item.browser.user_agent_language,
        tokens=(token,),
    )


async def _settle(conn: Connection, org_id: int, good: Sequence[tuple[Subscription, int]]) -> None:
    """Keys, visitors, tokens that were exchanged, and the event of a browser that is new."""
    latest = {item.endpoint: (item, contact) for item, contact in good}
    is_new = await store.put_subscriptions(conn, org_id, [item for item, _ in latest.values()])
    await resolve(
        conn,
        org_id,
        [
            Sighting(item.visitor_id, contact, Strength.WEB_PUSH)
            for item, contact in good
            if item.visitor_id is not None
        ],
    )
    exchanged = {item.replaces for item, _ in good if item.replaces and item.replaces != item.token}
    await store.drop_tokens(conn, org_id, sorted(exchanged))
    await record(
        conn,
        org_id,
        [_event(item, contact) for endpoint, (item, contact) in latest.items() if is_new.get(endpoint)],
    )


def _event(item: Subscription, contact_id: int) -> NewEvent:
    browser = item.browser
    params = {
        "pushToken": item.token,
        "os": browser.os,
        "browser": browser.user_agent,
        "language": browser.user_agent_language,
        "page": browser.subscription_page,
        "contactId": str(contact_id),
    }
    return NewEvent(
        NEW_SUBSCRIPTION,
        item.token,
        contact_id,
        params={name: value for name, value in params.items() if value},
        source=SOURCE,
    )
