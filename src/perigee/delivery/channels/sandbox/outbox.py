"""Reading the sandbox: what was sent, newest first, and one message taken apart for people."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import NotFound

q = load(__package__)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message in the sandbox; `body` is the whole mail for email, UTF-8 text else."""

    sandbox_id: int
    send_id: int
    contact_id: int | None
    channel: str
    address: str
    sender: str
    body: bytes
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """An email taken apart. Everything in it is untrusted."""

    headers: list[tuple[str, str]]
    subject: str
    text: str
    html: str


async def list_messages(
    connection: Connection,
    org_id: int,
    *,
    before: int | None = None,
    channel: str | None = None,
    address: str | None = None,
    send_id: int | None = None,
    limit: int = 50,
) -> list[Kept]:
    cursor = await connection.execute(
        q.list_messages,
        {
            "org_id": org_id,
            "before": before,
            "channel": channel,
            "address": address,
            "send_id": send_id,
            "limit": limit,
        },
    )
    return [Kept(*row) for row in await cursor.fetchall()]


async def get_message(connection: Connection, org_id: int, sandbox_id: int) -> Kept:
    """Raises NotFound."""
    row = await (
        await connection.execute(q.get_message, {"org_id": org_id, "sandbox_id": sandbox_id})
    ).fetchone()
    if row is None:
        raise NotFound(f"sandbox message {sandbox_id} does not exist")
    return Kept(*row)


def readable(kept: Kept) -> str:
    """The text of anything but an email; of a message with several members, each on a line of its own."""
    if kept.channel in ("sms", "webhook"):
        return kept.body.decode("utf-8", "replace")
    return "\n".join(
        f"{name}: {value if isinstance(value, str) else msgspec.json.encode(value).decode()}"
        for name, value in _card(kept).items()
    )


def _card(kept: Kept) -> dict[str, Any]:
    try:
        card = msgspec.json.decode(kept.body)
    except msgspec.DecodeError:
        card = None
    return card if isinstance(card, dict) else {"text": kept.body.decode("utf-8", "replace")}


def open_letter(raw: bytes) -> Letter:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return Letter(
        headers=[(name, str(value)) for name, value in message.items()],
        subject=str(message.get("subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""


_SUBJECT = re.compile(rb"^subject:((?:[^\r\n]|\r\n[ \t])*)", re.IGNORECASE | re.MULTILINE)


def headline(kept: Kept) -> str:
    """One line to recognise a message by. Lists show hundreds, so no more of an email is read than its subject."""
    if kept.channel in ("sms", "webhook"):
        return readable(kept)[:160]
    if kept.channel != "email":
        card = _card(kept)
        return " — ".join(str(card[name]) for name in ("title", "text") if name in card)[:160]
    found = _SUBJECT.search(kept.body, 0, kept.body.find(b"\r\n\r\n") + 2)
    if found is None:
        return ""
    written = found[1].replace(b"\r\n", b"").strip().decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(written)))
    except (HeaderParseError, LookupError, UnicodeError):
        return written
