"""What a server's words in a bounce mean: the same table as for its answers in a session (protocols 2.5)."""

from __future__ import annotations

import re
from typing import Final

from perigee.delivery.channel import Reason
from perigee.delivery.channels.smtp.replies import Stage, reason_of

_CODE: Final = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -])")
_ENHANCED: Final = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_GENERAL: Final = re.compile(r"[245]\.0\.0")


def why(status: str, text: str, code: int = 0) -> Reason:
    """Why a message that is over was not delivered. `status` is the enhanced code of the report, '' for none; where it
    says nothing, one in the server's own words counts. Total."""
    text = text[:500]
    if not status or _GENERAL.fullmatch(status):
        named = _ENHANCED.search(text)
        status = named[1] if named else status
    if not code:
        spoken = _CODE.search(text)
        code = int(spoken[1]) if spoken else 450 if status.startswith("4") else 550
    if status.startswith("4.4."):
        return Reason.EXPIRED  # the receiver could not be reached until the message was too old
    return reason_of(Stage.RCPT, code, status, text)
