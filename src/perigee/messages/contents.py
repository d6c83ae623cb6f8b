"""What a message holds, per channel, in the wire's names (contract 18.1 – 18.6).

The same structures are the stored content of a language version, what the editor sends and what OpenAPI shows.
Defaults are the contract's.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from perigee.errors import Invalid
from perigee.lib.text import clean_json

Short = Annotated[str, Meta(max_length=1_000)]
Text = Annotated[str, Meta(max_length=100_000)]
Html = Annotated[str, Meta(max_length=2_000_000)]
Url = Annotated[str, Meta(max_length=4_000)]


class Email(msgspec.Struct, rename="camel", omit_defaults=True):
    """`from` is `"Name" <address>`. `mjml` (ours) replaces `htmlText` as the source where it is given."""

    from_: Short = msgspec.field(name="from")
    subject: Short
    html_text: Html = ""
    mjml: Html = ""
    raw_html: Html = ""
    css: Html = ""
    amp_html: Html = ""
    plain_text: Html = ""
    preheader: Short = ""
    reply_to: Short = ""


class Sms(msgspec.Struct, rename="camel", omit_defaults=True):
    from_: Short = msgspec.field(name="from")
    text: Text
    track_urls: bool = False


class Viber(msgspec.Struct, rename="camel", omit_defaults=True):
    from_: Short = msgspec.field(name="from")
    text: Annotated[str, Meta(max_length=1_000)]
    transactional: bool = False
    img: Url = ""
    caption: Short = ""
    action: Url = ""
    ttl_sec: int = 86_400
    sms_fallback: bool = False
    sms_sender: Short = ""
    sms_content: Text = ""
    ios_expirity_text: Short = ""


class PushButton(msgspec.Struct, rename="camel", omit_defaults=True):
    action_id: Short
    label: Short
    ios_icon_path: Url = ""
    link: Url = ""
    custom_data: Text = ""


class MobilePush(msgspec.Struct, rename="camel", omit_defaults=True):
    title: Short
    text: Annotated[str, Meta(max_length=1_000)]
    subtitle: Short = ""
    link: Url = ""
    image_source: Url = ""
    images: Annotated[list[Url], Meta(max_length=10)] = []
    custom_data: Text = ""
    ttl_sec: int | None = None
    buttons: Annotated[list[PushButton], Meta(max_length=4)] = []
    sound_enabled: bool | None = None
    badge_count: int | None = None


class AppInbox(msgspec.Struct, rename="camel", omit_defaults=True):
    title: Short
    text: Text
    link: Url = ""
    image_source: Url = ""
    custom_data: Text = ""
    ttl_sec: int | None = None


class TelegramButton(msgspec.Struct, rename="camel", omit_defaults=True):
    text: Short
    link: Url


class Telegram(msgspec.Struct, rename="camel", omit_defaults=True):
    text: Annotated[str, Meta(max_length=4_096)] = ""
    image_source: Url = ""
    buttons: Annotated[list[TelegramButton], Meta(max_length=100)] = []


class WebPushButton(msgspec.Struct, rename="camel", omit_defaults=True):
    label: Short
    link: Url = ""


class WebPush(msgspec.Struct, rename="camel", omit_defaults=True):
    """Ours: the old wire has no methods for web push templates, they are only sent (contract 18)."""

    title: Short
    text: Annotated[str, Meta(max_length=1_000)]
    link: Url = ""
    icon_source: Url = ""
    image_source: Url = ""
    ttl_sec: int | None = None
    urgency: Literal["very-low", "low", "normal", "high"] = "normal"
    buttons: Annotated[list[WebPushButton], Meta(max_length=2)] = []


class Webhook(msgspec.Struct, rename="camel", omit_defaults=True):
    """Ours: a JSON document for the organisation's own endpoint. Values stand in strings or where JSON has a value."""

    body: Text


AnyContent = Email | Sms | Viber | MobilePush | WebPush | AppInbox | Telegram | Webhook

CONTENTS: dict[str, type[msgspec.Struct]] = {
    "email": Email,
    "sms": Sms,
    "viber": Viber,
    "mobilepush": MobilePush,
    "appinbox": AppInbox,
    "telegram": Telegram,
}
"""Channels whose templates have methods on the old wire."""
ALL_CONTENTS: dict[str, type[msgspec.Struct]] = {**CONTENTS, "webpush": WebPush, "webhook": Webhook}


_MISSING = re.compile(r"Object missing required field `([^`]+)`(?! - at)")


def read_content(channel: str, members: dict[str, Any]) -> msgspec.Struct:
    """The channel's content from plain members; unknown ones are ignored, null equals absence.

    Raises Invalid that names the member and the rule.
    """
    given = clean_json({name: value for name, value in members.items() if value is not None})
    try:
        content = msgspec.convert(given, ALL_CONTENTS[channel], strict=False)
    except msgspec.ValidationError as error:
        raise _explain(str(error)) from None
    check_rules(content)
    return content


def _explain(message: str) -> Invalid:
    """The converter's sentence as `field: rule`."""
    if missing := _MISSING.match(message):
        return Invalid(f"{missing[1]}: is required", field=missing[1])
    rule, _, where = message.partition(" - at `$")
    field = where.strip(".`")
    return Invalid(f"{field or 'body'}: {rule[:1].lower()}{rule[1:]}", field=field or None)


def check_rules(content: msgspec.Struct) -> None:
    """Rules between members. Raises Invalid."""
    match content:
        case Email() if not content.html_text and not content.mjml:
            raise Invalid("htmlText: is required", field="htmlText")
        case Viber():
            _check_viber(content)
        case MobilePush() | AppInbox() if content.custom_data:
            check_json("customData", content.custom_data)
        case _:
            pass


def _check_viber(content: Viber) -> None:
    extras = [name for name in ("img", "caption", "action") if getattr(content, name)]
    if content.transactional and extras:
        raise Invalid.of(extras[0], getattr(content, extras[0]), "cannot be in a transactional message")
    if extras and len(extras) < 3:
        raise Invalid("img, caption and action: all three or none", field="img")


def check_json(field: str, text: str) -> None:
    """Raises Invalid."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Invalid.of(field, text, "must be a JSON document") from None
