"""What is sent by a call: a template with the caller's sender name, or a message that the call itself brings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec

from perigee.accounts import store as accounts
from perigee.db.pool import Connection
from perigee.delivery import freeze
from perigee.delivery.freeze import Frozen
from perigee.delivery.rendering import Content
from perigee.errors import Invalid, NotFound
from perigee.lib.scalars import to_text
from perigee.lib.text import is_header_safe
from perigee.messages.check import check_content
from perigee.messages.contents import read_content
from perigee.messages.manage import check_categories, read_meta
from perigee.messages.validate import check_email_sender, check_sms_sender, is_dynamic
from perigee.messages.velocity.choose import engine_for, texts_in
from perigee.messages.version import parse_sender
from perigee.senders import store as senders
from perigee.senders.check import check_sender

FROM_NAME_LENGTH = 100


async def template(conn: Connection, org_id: int, message_id: int, *, from_name: Any = None) -> Frozen:
    """A stored message. `from_name` takes the place of its sender's name, null keeps it. Raises NotFound, Invalid."""
    found = await freeze.message(conn, org_id, message_id)
    if found is None:
        raise NotFound(f"message {message_id} does not exist")
    name = to_text("fromName", from_name, limit=FROM_NAME_LENGTH)
    if name is None:
        return found
    if found.channel in ("sms", "viber"):
        await check_sender(conn, org_id, found.channel, name, field="fromName")
    versions = {
        language: _renamed(found.channel, members, name)
        for language, members in found.content.versions.items()
    }
    content = msgspec.structs.replace(found.content, versions=versions)
    return dataclasses.replace(found, content=content)


def _renamed(channel: str, members: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Of an email only the name changes; of an SMS and a Viber message the sender is the name; others have none."""
    if channel == "email":
        if not is_header_safe(name):
            raise Invalid.of("fromName", name, "must be one line without control characters")
        _, address = parse_sender(str(members["from"]))
        if not is_dynamic(address):
            check_email_sender("fromName", name, address)
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return {**members, "from": f'"{quoted}" <{address}>'}
    if channel == "sms" and not is_dynamic(name):
        check_sms_sender("fromName", name)
    return {**members, "from": name} if channel in ("sms", "viber") else dict(members)


async def own(
    conn: Connection,
    org_id: int,
    channel: str,
    body: Mapping[str, Any],
    members: Mapping[str, Any],
    *,
    language: str,
    track: bool,
    personalise: bool = True,
) -> Frozen:
    """A message that is no template: `members` are its content in the wire's names, `body` holds `tags` and
    `subscriptionsKeys`. Raises Invalid that names the member."""
    keys = body.get("subscriptionsKeys") or body.get("subscriptionKeys")  # a connector's spelling
    meta = read_meta({"tags": body.get("tags"), "subscriptionsKeys": keys})
    engine = engine_for(texts_in(members), "liquid") if personalise else "literal"
    content = await check_content(read_content(channel, dict(members)), engine)
    await check_sender(conn, org_id, channel, str(members["from"]))
    await check_categories(conn, org_id, meta.subscriptions_keys or [])
    frozen = Content(
        default=language,
        versions={language: msgspec.to_builtins(content)},
        engine=engine,
        categories=meta.subscriptions_keys or [],
        track=track,
    )
    surrounded, utm = await freeze.surround(conn, org_id, frozen)
    return Frozen(None, channel, "", meta.tags or [], surrounded, utm)


async def viber_sender(conn: Connection, org_id: int, given: Any) -> str:
    """`from`, which may be absent unless the organisation has more than one sender (contract 19.4). Raises Invalid.

    An organisation without a sender, which is being tried out, writes under its own name."""
    name = to_text("from", given, limit=FROM_NAME_LENGTH)
    if name is not None:
        return name
    known = await senders.list_senders(conn, org_id, "viber")
    if len(known) > 1:
        raise Invalid("from: is required when there is more than one sender", field="from")
    if known:
        return known[0].value
    organisation, *_ = await accounts.organisation(conn, org_id)
    return organisation[:FROM_NAME_LENGTH]
