"""Delivery receipts: what a deliver_sm says about an earlier message (5.3.2.12, 5.3.2.35, appendix B of the
specification). Operators differ wildly in the text, so it is searched, not parsed, and kept as it came."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from perigee.delivery.channel import EventType, Reason
from perigee.delivery.channels.smpp.pdu import ShortMessage, Tag
from perigee.delivery.channels.smpp.settings import MessageIds
from perigee.lib.text import clean

RECEIPT: Final = 0x04
KIND: Final = 0x3C
"""Bits 2 to 5 of esm_class: what kind of message it is (5.2.12)."""

_STATES: Final = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
"""message_state (5.2.28) by the short words of receipts' texts (appendix B)."""
_EVENTS: Final = {
    "DELIVRD": (EventType.DELIVERED, None),
    "DELIVERED": (EventType.DELIVERED, None),
    "EXPIRED": (EventType.BOUNCED, Reason.EXPIRED),
    "DELETED": (EventType.BOUNCED, Reason.DESTINATION_REFUSED),
    "UNDELIV": (EventType.BOUNCED, Reason.DESTINATION_REFUSED),
    "REJECTD": (EventType.BOUNCED, Reason.DESTINATION_REFUSED),
    "REJECTED": (EventType.BOUNCED, Reason.DESTINATION_REFUSED),
    "FAILED": (EventType.BOUNCED, Reason.DESTINATION_REFUSED),
    "ENROUTE": (EventType.ACCEPTED, None),
    "ACCEPTD": (EventType.ACCEPTED, None),
    "ACCEPTED": (EventType.ACCEPTED, None),
    "BUFFERED": (EventType.ACCEPTED, None),
}
_ID: Final = re.compile(r"\bid\s*[:=]\s*([^\s,;]{1,64})", re.IGNORECASE)
_STATE: Final = re.compile(r"\bstat(?:us)?\s*[:=]\s*([A-Za-z]{2,20})", re.IGNORECASE)
_ERROR: Final = re.compile(r"\berr(?:or)?\s*[:=]\s*([0-9A-Za-z]{1,10})", re.IGNORECASE)


class DeliveryReport(msgspec.Struct, frozen=True):
    """`message_id` in the form of `normal_id`, None where the operator named none. `type` None: a state we do not know."""

    message_id: str | None
    type: EventType | None
    reason: Reason | None
    state: str
    error: str
    raw: str

    @property
    def words(self) -> str:
        """For people: the operator's own text, or the state where there is none."""
        return self.raw or " ".join(part for part in (self.state, self.error) if part)


def is_receipt(message: ShortMessage) -> bool:
    """Some operators set no bit of esm_class and send the parameter; nobody else sends it."""
    return (message.esm_class & KIND) == RECEIPT or message.tlv(Tag.RECEIPTED_MESSAGE_ID) is not None


def read_receipt(message: ShortMessage, ids: MessageIds) -> DeliveryReport:
    """The optional parameters first, the text where they are missing. Never fails."""
    text = message.payload.decode("latin-1")
    given = message.tlv(Tag.RECEIPTED_MESSAGE_ID)
    message_id = given.split(b"\0", 1)[0].decode("latin-1").strip() if given else ""
    if not message_id and (found := _ID.search(text)):
        message_id = found[1]
    state = _state(message, text)
    event, reason = _EVENTS.get(state, (None, None))
    error = found[1] if (found := _ERROR.search(text)) else _network_error(message)
    return DeliveryReport(
        normal_id(message_id, ids, answer=False) if message_id else None,
        event,
        reason,
        state,
        error,
        clean(text).strip()[:300],
    )


def normal_id(message_id: str, ids: MessageIds, *, answer: bool) -> str:
    """The one form in which ids of answers (submit_sm_resp) and of receipts are compared. What is no number stays."""
    message_id = message_id.strip()
    base = {
        MessageIds.HEX_TO_DEC: 16 if answer else 10,
        MessageIds.DEC_TO_HEX: 10 if answer else 16,
        MessageIds.NO_ZEROS: 0,
    }.get(ids)
    if base is None:
        return message_id
    if base == 0:
        return message_id.lstrip("0") or message_id
    try:
        return str(int(message_id, base))
    except ValueError:
        return message_id


def _state(message: ShortMessage, text: str) -> str:
    given = message.tlv(Tag.MESSAGE_STATE)
    if given and given[0] in _STATES:
        return _STATES[given[0]]
    found = _STATE.search(text)
    return found[1].upper() if found else ""


def _network_error(message: ShortMessage) -> str:
    given = message.tlv(Tag.NETWORK_ERROR_CODE)  # one octet network type, two of the code (5.3.2.31)
    return str(int.from_bytes(given[1:3])) if given and len(given) >= 3 else ""
