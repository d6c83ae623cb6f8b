"""Double opt-in: the owner of an address is asked for their word, and gives it (product 5).

Asking is a transactional send, at most once per address in `ASK_AGAIN_HOURS`, whatever forms are filled in with it; it
says nothing that came from the form (protocols 3.8). Answering is a POST on the page of the mail's link: it confirms the
address that the mail went to, and raises `ConfirmedSubscription`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

import msgspec
import structlog

from perigee.consent import store
from perigee.consent.proof import Proof
from perigee.consent.words import ALL, Words, words_for
from perigee.db.pool import Connection
from perigee.delivery import freeze
from perigee.delivery.freeze import Frozen
from perigee.delivery.rendering import Content
from perigee.delivery.tracking import reached_at
from perigee.errors import NotFound
from perigee.events.record import record
from perigee.events.types import NewEvent
from perigee.messages.contents import Email
from perigee.messages.links import Recipient
from perigee.senders import store as senders
from perigee.sending import store as messages
from perigee.sending.store import Row

ASK_AGAIN_HOURS = 72
CONFIRMED_EVENT = "ConfirmedSubscription"
SOURCE = "confirmation"
BATCH = 500

log = structlog.get_logger()


async def ask(
    connection: Connection, org_id: int, contact_ids: Sequence[int], *, now: datetime, public_url: str
) -> int:
    """Queues a confirmation mail to those whose address waits for it; how many. An organisation that cannot send one,
    because it has no sender, provider or message for it, asks nobody, and the log says so."""
    chosen = await store.confirmation_settings(connection, org_id)
    if not chosen.mail:
        return 0
    frozen = await _message(connection, org_id, chosen)
    if frozen is None:
        log.warning("no confirmation mail: the organisation has no email sender", org_id=org_id)
        return 0
    asked = await store.claim_confirmations(connection, org_id, contact_ids, hours=ASK_AGAIN_HOURS)
    if not asked:
        return 0
    send_id = await freeze.insert_send(
        connection,
        org_id,
        frozen,
        kind="single",
        started_at=now,
        campaign_id=None,
        marketing=False,
        public_url=public_url,
    )
    rows = [Row(contact_id, contact_id, None, None, None) for contact_id in asked]
    await messages.insert_messages(connection, org_id, send_id, rows, batch_size=BATCH)
    return len(asked)


async def _message(connection: Connection, org_id: int, chosen: store.ConfirmationSettings) -> Frozen | None:
    """The organisation's own, or ours from its first sender."""
    if chosen.message_id:
        own = await freeze.message(connection, org_id, chosen.message_id)
        if own is not None:
            return own
        log.warning("the confirmation message is gone, the built-in one is sent", org_id=org_id)
    known = await senders.list_senders(connection, org_id, "email")
    if not known:
        return None
    content = Content(
        default=words_for([chosen.language]).language,
        versions={words.language: _letter(words, known[0].value) for words in ALL.values()},
        name=CONFIRMED_EVENT,
    )
    surrounded, utm = await freeze.surround(connection, org_id, content)
    return Frozen(None, "email", CONFIRMED_EVENT, [], surrounded, utm)


def _letter(words: Words, sender: str) -> dict[str, str]:
    button = (
        "display:inline-block;padding:12px 24px;background:#3557d6;color:#ffffff;text-decoration:none;"
        "border-radius:6px;font-family:Arial,Helvetica,sans-serif"
    )
    text = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:24px"
    page = (
        f'<html lang="{words.language}"><body><div style="max-width:560px;margin:0 auto;padding:24px">'
        f'<p style="{text}">{escape(words.mail_text)}</p>'
        f'<p><a href="{{{{ confirm_url }}}}" style="{button}">{escape(words.confirm)}</a></p>'
        f'<p style="{text};color:#6b6b6b;font-size:13px">{escape(words.mail_ignore)}</p></div></body></html>'
    )
    content = Email(from_=sender, subject=words.mail_subject, html_text=page)
    return dict(msgspec.to_builtins(content))


async def confirm(connection: Connection, org_id: int, recipient: Recipient, proof: Proof) -> bool:
    """False when the address needed no word any more. Raises NotFound when there is no such address."""
    ((address, channel),) = await reached_at(connection, org_id, [recipient])
    if address is None or channel != "email":
        raise NotFound("no such address")
    changed = await store.grant(
        connection,
        org_id,
        "email",
        address,
        recipient,
        action="confirmed",
        source=SOURCE,
        detail=proof.detail(),
    )
    if changed:
        await record(connection, org_id, [_event(recipient.contact_id, address)])
    return changed


def _event(contact_id: int, address: str) -> NewEvent:
    return NewEvent(
        CONFIRMED_EVENT,
        str(contact_id),
        contact_id=contact_id,
        params={"ContactId": contact_id, "EmailAddress": address},
        source="form",
    )
