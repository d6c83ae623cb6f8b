"""Rows of the activity feed as the wire has them (contract 11.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from perigee.esputnik.face import Answer
from perigee.keys import Keys
from perigee.lib import json_edge
from perigee.lib.dates import wire
from perigee.lib.ids import message_uuid
from perigee.messages.links import SignedLinks
from perigee.reports import cursor
from perigee.reports.activity import Page
from perigee.reports.media import media_type
from perigee.reports.store import ContactFacts, Happening, MessageFacts, SendFacts

AT_ONCE = 1000
"""Rows that are written without letting other requests have a turn."""


class SubscriptionKeys(msgspec.Struct):
    """Keys of the categories that the person has after the change."""

    subscriptions: list[str]


class StatusData(msgspec.Struct, omit_defaults=True):
    """`subscription`: only of SUBSCRIPTION_CHANGED."""

    subscription: SubscriptionKeys | UnsetType = UNSET


class Activity(msgspec.Struct, rename="camel", omit_defaults=True, kw_only=True):
    """What one person did with one message. Members without a value are left out.

    `iid` is the message's id. `statusDescription` goes with UNDELIVERED, `clickEventLink` with CLICKED,
    `viewMessageLink` with emails. `offset` is the place of the row, for the next call.
    """

    iid: str
    contact_id: int
    media_type: str
    activity_status: str
    activity_date_time: str
    message_id: int
    message_instance_id: int
    status_data: StatusData
    offset: str
    message_name: str | UnsetType = UNSET
    message_tag: str | UnsetType = UNSET
    message_language_code: str | UnsetType = UNSET
    external_request_id: str | UnsetType = UNSET
    external_customer_id: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    sms: str | UnsetType = UNSET
    web_push_token: str | UnsetType = UNSET
    mob_push_token: str | UnsetType = UNSET
    view_message_link: str | UnsetType = UNSET
    click_event_link: str | UnsetType = UNSET
    status_description: str | UnsetType = UNSET
    broadcast_id: int | UnsetType = UNSET
    from_: str | UnsetType = msgspec.field(name="from", default=UNSET)
    workflow_id: int | UnsetType = UNSET
    workflow_block_id: str | UnsetType = UNSET
    workflow_instance_id: str | UnsetType = UNSET
    source_event_key: str | UnsetType = UNSET
    source_event_type_key: str | UnsetType = UNSET


EXAMPLE = [
    {
        "iid": "99d591ab-0000-4000-8000-000000000001",
        "externalRequestId": "order-77",
        "contactId": 100001,
        "externalCustomerId": "CRM-1001",
        "email": "anna@example.com",
        "mediaType": "email",
        "activityStatus": "CLICKED",
        "messageId": 2345001,
        "messageInstanceId": 4702001,
        "messageName": "Welcome",
        "messageTag": "promo,welcome",
        "messageLanguageCode": "en",
        "activityDateTime": "2026-05-04T08:30:03",
        "viewMessageLink": "https://links.example.com/v/abc",
        "clickEventLink": "https://shop.example.com/sale",
        "statusData": {},
        "broadcastId": 3459001,
        "from": '"Example" <news@example.com>',
        "offset": "06389c0e-8a5b-8cc0-8000-000000000001",
    }
]

_ADDRESS = {
    "email": "email",
    "sms": "sms",
    "viber": "sms",
    "webpush": "web_push_token",
    "mobilepush": "mob_push_token",
}
"""Channel → the member that carries the address."""


class Writer:
    """Turns the rows of one page into objects of the wire."""

    def __init__(self, org_id: int, zone: tzinfo, keys: Keys, public_url: str, page: Page) -> None:
        self.page = page
        self._org_id = org_id
        self._zone = zone
        self._keys = keys
        self._public_url = public_url

    def write(self, row: Happening) -> Activity:
        send = self.page.sends.get(row.send_id)
        message = self.page.messages.get((row.send_id, row.ordinal))
        contact = self.page.contacts.get(row.contact_id)
        place = cursor.write(cursor.Place(row.at, row.activity_id))
        more = self._of_message(row, send, message) if send else {}
        if contact is not None and contact.external_id:
            more["external_customer_id"] = contact.external_id
        if (member := _ADDRESS.get(row.channel)) and (address := _address(row.channel, message, contact)):
            more[member] = address
        if row.status == "CLICKED" and row.detail:
            more["click_event_link"] = row.detail
        if row.status == "UNDELIVERED" and row.detail:
            more["status_description"] = row.detail
        named = send is not None and is_named(send)
        return Activity(
            iid=self._iid(row) if send else place,
            contact_id=row.contact_id,
            media_type=media_type(row.channel),
            activity_status=row.status,
            activity_date_time=wire(_moment(row), self._zone),
            message_id=send.message_id or 0 if send and named else 0,
            message_instance_id=row.send_id if named else 0,
            status_data=_status_data(row),
            offset=place,
            **more,
        )

    def _iid(self, row: Happening) -> str:
        return str(message_uuid(self._keys.message_ids, self._org_id, row.send_id, row.ordinal))

    def _of_message(self, row: Happening, send: SendFacts, message: MessageFacts | None) -> dict[str, Any]:
        more: dict[str, Any] = {"message_name": "" if send.kind == "test" else send.message_name}
        if send.tags:
            more["message_tag"] = ",".join(send.tags)
        if send.campaign_id is not None:
            more["broadcast_id"] = send.campaign_id
        if send.sender:
            more["from_"] = send.sender
        if message is not None and message.language:
            more["message_language_code"] = message.language
        if message is not None and message.external_request_id:
            more["external_request_id"] = message.external_request_id
        if send.channel == "email":
            more["view_message_link"] = view_link(self._keys, self._public_url, self._org_id, row)
        return more


def view_link(keys: Keys, public_url: str, org_id: int, row: Any) -> str:
    """The address of a message in the browser; `row` has send_id, ordinal and contact_id."""
    return SignedLinks(keys.links, public_url, org_id, row.send_id).of(row.ordinal, row.contact_id).view()


def is_named(send: SendFacts) -> bool:
    """Tests, and single messages that were sent without a template, show 0 for their ids (contract 11.4)."""
    return send.kind != "test" and send.message_id is not None


def _address(channel: str, message: MessageFacts | None, contact: ContactFacts | None) -> str | None:
    if message is not None and message.address:
        return message.address
    if contact is None or channel not in ("email", "sms", "viber"):
        return None
    return contact.email if channel == "email" else contact.phone


def _moment(row: Happening) -> datetime:
    """When it happened, where whoever told us said so; else when it was recorded."""
    told = (row.meta or {}).get("happened_at")
    return datetime.fromisoformat(told) if isinstance(told, str) else row.at


def _status_data(row: Happening) -> StatusData:
    meta: Mapping[str, Any] = row.meta or {}
    if row.status != "SUBSCRIPTION_CHANGED":
        return StatusData()
    return StatusData(SubscriptionKeys(list(meta.get("subscriptions", []))))


async def answer(writer: Writer) -> Answer:
    """The page as a JSON array. A large one is written in pieces, so that it holds up nobody."""
    rows: Sequence[Happening] = writer.page.rows
    parts = []
    for start in range(0, len(rows), AT_ONCE):
        piece = json_edge.encode([writer.write(row) for row in rows[start : start + AT_ONCE]])
        parts.append(piece[1:-1])
        await asyncio.sleep(0)
    return Answer(b"[" + b",".join(parts) + b"]")
