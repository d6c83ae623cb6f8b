"""Types of sending by API call: what the wire brings (contract 19), and recipients once they are read."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

Kind = Literal["contact", "external", "email", "phone", "token"]
"""By what a recipient is named."""


class Recipient(NamedTuple):
    """`shown` is the locator of the result; `value` the normal form that `kind` is looked up by; `spelling` an email as
    its owner writes it. `data` is JSON text of an object. Equal ones are one message."""

    shown: str
    kind: Kind
    value: str
    spelling: str | None = None
    external_request_id: str | None = None
    language: str | None = None
    data: str | None = None


class Refused(NamedTuple):
    """A recipient that gets nothing, and why."""

    shown: str
    message: str


class Queued(NamedTuple):
    """A recipient whose message `ordinal` of the send is queued."""

    shown: str
    ordinal: int


class SmartRecipient(msgspec.Struct, rename="camel"):
    """One of `contactId`, `externalCustomerId` and `locator`; `jsonParam` is JSON text."""

    contact_id: int | None = None
    external_customer_id: str | None = None
    locator: str | None = None
    json_param: str | dict[str, Any] | None = None
    language_code: str | None = None
    external_request_id: str | None = None


class SmartSend(msgspec.Struct, rename="camel"):
    """`fromName` replaces the name of the template's sender. `email` is not looked at: the template's channel decides."""

    recipients: list[SmartRecipient]
    email: bool = False
    from_name: str | None = None


class EmailSend(msgspec.Struct, rename="camel"):
    from_: str = msgspec.field(name="from")
    subject: str
    html_text: str
    emails: list[str]
    plain_text: str | None = None
    amp_html_text: str | None = None
    tags: list[str] = []
    external_request_id: str | None = None
    skip_personalisation: bool = False
    subscriptions_keys: list[str] = []
    track_urls: bool = True


class SmsSend(msgspec.Struct, rename="camel"):
    """To `phoneNumbers`, or to the people of the segment `groupId`."""

    from_: str = msgspec.field(name="from")
    text: str
    phone_numbers: list[str] = []
    group_id: int | None = None
    tags: list[str] = []
    external_request_id: str | None = None
    subscriptions_keys: list[str] = []
    track_urls: bool = False


class ViberSend(msgspec.Struct, rename="camel"):
    """To `phoneNumbers`, or to the people of the segment `groupId`. `from` may be absent where there is one sender."""

    text: str
    ios_expirity_text: str
    from_: str | None = msgspec.field(name="from", default=None)
    phone_numbers: list[str] = []
    group_id: int | None = None
    ttl_seconds: int = 86_400
    img: str | None = None
    caption: str | None = None
    action: str | None = None
    tags: list[str] = []
    external_request_id: str | None = None
    subscriptions_keys: list[str] = []
    track_urls: bool = True


class TemplateParam(msgspec.Struct):
    """Replaces `%TEMPLATE.name%`; the prefix of `key` may be left out."""

    key: str
    value: str = ""


class TemplateSend(msgspec.Struct, rename="camel"):
    """The old form of smartsend: the same `params` for all."""

    recipients: list[str] = []
    contact_id: int | None = None
    group_id: int | None = None
    params: list[TemplateParam] = []
    email: bool = False
    from_name: str | None = None


class SendResult(msgspec.Struct, rename="camel"):
    """`requestId` with OK, `message` with ERROR."""

    locator: str
    status: Literal["OK", "ERROR"]
    request_id: str | msgspec.UnsetType = msgspec.UNSET
    message: str | msgspec.UnsetType = msgspec.UNSET
    id: int = 0


class SendResults(msgspec.Struct):
    """`results`: several as a list, one as itself, and `id` is then text like its numbers."""

    id: Any
    results: Any


class MessageStatus(msgspec.Struct, rename="camel"):
    """Contract 19.5. Both `failed` and `delivered` are false while nothing is known."""

    status: str
    request_id: str
    failed: bool
    delivered: bool


class MessageStatuses(msgspec.Struct):
    """Several as a list, one as itself; unknown ids are left out."""

    results: Any


class Callout(msgspec.Struct, rename="camel"):
    """An SMS campaign; `date` is its start in the organisation's time zone."""

    callout_name: str
    group_id: int
    group_name: str
    date: str
    sent: int
    delivered: int
    errors: int


class SentTo(msgspec.Struct):
    """A recipient of `POST /messages/{id}/send`: one of contact_id, external_id and address."""

    contact_id: int | None = None
    external_id: str | None = None
    address: str | None = None
    data: dict[str, Any] = {}
    language: str | None = None
    external_request_id: str | None = None


class SendRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`from_name` replaces the name of the message's sender."""

    recipients: Annotated[list[SentTo], Meta(min_length=1)]
    from_name: str | None = None


class SentResult(msgspec.Struct, omit_defaults=True):
    """`request_id` when the message was queued, else `error`."""

    locator: str
    request_id: str | None = None
    error: str | None = None


class SendAnswer(msgspec.Struct, omit_defaults=True):
    """In the order of the recipients. `send_id` is absent when nothing was queued."""

    results: list[SentResult]
    send_id: int | None = None
