"""Where the shop keeps its product feeds (contract 23.9, 23.10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from perigee.contacts.types import Scalar
from perigee.db.columns import pack, pack_flags
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import Invalid
from perigee.lib.languages import normal_language
from perigee.lib.scalars import to_bool, to_text
from perigee.lib.urls import normal_http_url
from perigee.products.types import Feed

q = load(__package__)

MOST_FEEDS = 50


class WireFeed(msgspec.Struct):
    url: Scalar = None
    language: Scalar = None
    default: Scalar = None


def clean(given: Sequence[WireFeed]) -> list[Feed]:
    """Exactly one is the default; where none says so it is the first. Raises Invalid. Pure."""
    if len(given) > MOST_FEEDS:
        raise Invalid(f"feeds: {len(given)} feeds are more than {MOST_FEEDS}", field="feeds")
    feeds = [_feed(f"feeds[{index}].", one) for index, one in enumerate(given)]
    if len({feed.url for feed in feeds}) < len(feeds):
        raise Invalid("feeds: two have the same url", field="feeds")
    defaults = [feed for feed in feeds if feed.default]
    if len(defaults) > 1:
        raise Invalid("feeds: only one can be the default", field="feeds")
    if feeds and not defaults:
        feeds[0].default = True
    return feeds


def _feed(path: str, wire: WireFeed) -> Feed:
    text = to_text(path + "url", wire.url)
    if text is None:
        raise Invalid(f"{path}url: is required", field=path + "url")
    url = normal_http_url(text)
    if url is None:
        raise Invalid.of(path + "url", text, "is not an http or https address without a user name")
    code = to_text(path + "language", wire.language)
    language = None if code is None else normal_language(code)
    if code is not None and language is None:
        raise Invalid.of(path + "language", code, "is not a language code")
    return Feed(url, language, bool(to_bool(path + "default", wire.default)))


async def list_feeds(conn: Connection, org_id: int) -> list[Feed]:
    """In the caller's order."""
    return [Feed(*row) for row in await (await conn.execute(q.list_feeds, {"org_id": org_id})).fetchall()]


class FeedState(Feed):
    """A feed, and what became of its last import. Only the default feed is imported."""

    imported_at: datetime | None
    products: int | None
    """Of the last import that went well."""
    error: str | None
    """Of the last one, if it did not."""


async def feed_states(conn: Connection, org_id: int) -> list[FeedState]:
    """In the caller's order."""
    cursor = await conn.execute(q.feed_states, {"org_id": org_id})
    return [FeedState(*row) for row in await cursor.fetchall()]


async def take_due(conn: Connection, hours: int) -> list[int]:
    """Organisations whose default feed is due; the next time is so many hours later."""
    return [org_id for (org_id,) in await (await conn.execute(q.due_feeds, {"hours": hours})).fetchall()]


async def replace_feeds(conn: Connection, org_id: int, feeds: Sequence[Feed]) -> None:
    """All of them; an empty list leaves none."""
    await conn.execute(q.lock_feeds, {"org_id": org_id})
    await conn.execute(q.delete_feeds, {"org_id": org_id})
    if feeds:
        columns = {
            "urls": pack(feed.url for feed in feeds),
            "languages": pack(feed.language for feed in feeds),
            "defaults": pack_flags(feed.default for feed in feeds),
        }
        await conn.execute(q.insert_feeds, {"org_id": org_id, **columns})
