"""A contact's message history as the wire has it (contract 11.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import msgspec
from msgspec import UNSET, UnsetType

from perigee.db.pool import Connection
from perigee.errors import Invalid
from perigee.keys import Keys
from perigee.lib.dates import wire
from perigee.messages.version import parse_sender
from perigee.reports.activity_wire import is_named, view_link
from perigee.reports.history import Entry
from perigee.reports.media import media_type
from perigee.reports.wording import word


class HistoryEntry(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """One message to one person; `phone` instead of `email`, `text` instead of `subject` for short messages.

    `messageId` and `messageInstanceId` are 0 for tests and for messages sent without a template.
    """

    contact_id: int
    message_id: int
    message_instance_id: int
    message_tags: list[str]
    channel_type: str
    sent_date_time: str
    activity_status: str
    from_: str | UnsetType = msgspec.field(name="from", default=UNSET)
    email: str | UnsetType = UNSET
    phone: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    view_message_link: str | UnsetType = UNSET


EXAMPLE = [
    {
        "contactId": 100001,
        "email": "anna@example.com",
        "messageId": 2345001,
        "messageInstanceId": 4702001,
        "messageTags": ["promo"],
        "channelType": "email",
        "sentDateTime": "2026-05-04T08:30:00",
        "activityStatus": "READ",
        "from": "news@example.com",
        "subject": "Hello",
        "viewMessageLink": "https://links.example.com/v/abc",
    }
]

_PHONES = ("sms", "viber")


async def write_history(
    conn: Connection, org_id: int, entries: Sequence[Entry], zone: tzinfo, keys: Keys, public_url: str
) -> list[HistoryEntry]:
    """With the words of each message, as its reader got them."""
    words = await word(conn, org_id, entries, keys, public_url) if entries else []
    return [
        _write(entry, words_of, org_id, zone, keys, public_url)
        for entry, words_of in zip(entries, words, strict=True)
    ]


def _write(
    entry: Entry, words: str | None, org_id: int, zone: tzinfo, keys: Keys, public_url: str
) -> HistoryEntry:
    message, send = entry.message, entry.send
    is_email = send.channel == "email"
    named = is_named(send)
    address = message.address or UNSET
    return HistoryEntry(
        contact_id=message.contact_id,
        message_id=send.message_id or 0 if named else 0,
        message_instance_id=send.send_id if named else 0,
        message_tags=send.tags,
        channel_type=media_type(send.channel),
        sent_date_time=wire(message.at, zone),
        activity_status=entry.status,
        from_=_sender(send.sender) or UNSET,
        email=address if is_email else UNSET,
        phone=address if send.channel in _PHONES else UNSET,
        subject=words or UNSET if is_email else UNSET,
        text=UNSET if is_email else words or UNSET,
        view_message_link=view_link(keys, public_url, org_id, message) if is_email else UNSET,
    )


def _sender(text: str) -> str:
    """The bare address of `"Name" <address>`; a name or number as it is."""
    try:
        return parse_sender(text)[1]
    except Invalid:
        return text
