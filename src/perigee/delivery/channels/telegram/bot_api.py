"""What the Bot API is asked, and what its answers mean. Pure."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from perigee.delivery.channel import Outcome, Reason, Receipt

LONGEST_TEXT: Final = 4_096
LONGEST_CAPTION: Final = 1_024
"""Characters, as UTF-16 counts them."""
REST: Final = 30.0
"""Seconds after a 429 that names none."""


class Button(msgspec.Struct):
    text: str = ""
    link: str = ""


class Card(msgspec.Struct, rename="camel"):
    text: str = ""
    image_source: str = ""
    buttons: list[Button] = []


class TooLong(ValueError):
    """More text than Telegram takes."""


def request(payload: bytes, chat: str) -> tuple[str, dict[str, Any]]:
    """(method, body). A button to a row. Raises TooLong, and msgspec.MsgspecError for a payload that is none."""
    card = msgspec.json.decode(payload, type=Card)
    body: dict[str, Any] = {"chat_id": chat}
    limit = LONGEST_CAPTION if card.image_source else LONGEST_TEXT
    if len(card.text.encode("utf-16-le")) // 2 > limit:
        raise TooLong(f"text: is longer than {limit} characters")
    buttons = [[{"text": one.text, "url": one.link}] for one in card.buttons if one.text and one.link]
    if buttons:
        body["reply_markup"] = {"inline_keyboard": buttons}
    if not card.image_source:
        return "sendMessage", {**body, "text": card.text}
    body["photo"] = card.image_source
    if card.text:
        body["caption"] = card.text
    return "sendPhoto", body


def receipt(status: int, answer: bytes) -> Receipt:
    """Of a person who blocked the bot or is gone the token goes too (contract 22.3)."""
    ok, text, value = _read(answer)
    if ok and 200 <= status < 300:
        return Receipt(Outcome.SENT, code=status, provider_id=value)
    words = text.lower()
    wait = float(value) if value is not None and value.isdigit() else None
    if status == 403 or "chat not found" in words or "group is deactivated" in words:
        return Receipt(Outcome.FAILED, Reason.NO_SUCH_RECIPIENT, text, status)
    if status in (401, 404):  # the bot's token
        return Receipt(Outcome.DEFERRED, Reason.SENDER_SETUP, text, status, counted=False)
    if status == 429:
        return Receipt(Outcome.DEFERRED, Reason.QUOTA, text, status, counted=False, retry_after=wait or REST)
    if status >= 500 or status == 408:
        return Receipt(Outcome.DEFERRED, Reason.DESTINATION_BUSY, text, status, retry_after=wait)
    return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, text, status, counted=False)


class _Parameters(msgspec.Struct):
    retry_after: int | None = None


class _Result(msgspec.Struct):
    message_id: int | None = None


class _Answer(msgspec.Struct):
    ok: bool = False
    description: str = ""
    parameters: _Parameters | None = None
    result: _Result | None = None


def _read(answer: bytes) -> tuple[bool, str, str | None]:
    """(ok, words, id of the message or seconds to wait)."""
    try:
        found = msgspec.json.decode(answer, type=_Answer)
    except (msgspec.MsgspecError, RecursionError):
        return False, "".join(c for c in answer[:300].decode(errors="replace") if c.isprintable()), None
    words = "".join(sign if sign.isprintable() else " " for sign in found.description[:500]).strip()
    number = found.result.message_id if found.ok and found.result else None
    if not found.ok and found.parameters:
        number = found.parameters.retry_after
    return found.ok, words, None if number is None else str(number)
