"""What an operator's `command_status` means for a message (5.1.3): one table."""

from __future__ import annotations

from typing import Final, NamedTuple

from perigee.delivery.channel import DeliveryError, Outcome, Reason, Receipt


class Meaning(NamedTuple):
    name: str
    outcome: Outcome
    reason: Reason


_F, _D = Outcome.FAILED, Outcome.DEFERRED
_KNOWN: Final = {
    0x01: Meaning("message length is invalid", _F, Reason.BAD_MESSAGE),
    0x02: Meaning("command length is invalid", _F, Reason.BAD_MESSAGE),
    0x03: Meaning("command is unknown", _F, Reason.BAD_MESSAGE),
    0x04: Meaning("wrong bind status", _D, Reason.PROVIDER_PROTOCOL),
    0x05: Meaning("already bound", _D, Reason.PROVIDER_REFUSED),
    0x06: Meaning("priority is invalid", _F, Reason.BAD_MESSAGE),
    0x07: Meaning("registered_delivery is invalid", _F, Reason.BAD_MESSAGE),
    0x08: Meaning("system error", _D, Reason.UNCLASSIFIED),
    0x0A: Meaning("sender is invalid", _F, Reason.SENDER_REFUSED),
    0x0B: Meaning("recipient is invalid", _F, Reason.BAD_ADDRESS),
    0x0D: Meaning("bind failed", _D, Reason.PROVIDER_REFUSED),
    0x0E: Meaning("password is wrong", _D, Reason.PROVIDER_LOGIN),
    0x0F: Meaning("system_id is wrong", _D, Reason.PROVIDER_LOGIN),
    0x14: Meaning("message queue is full", _D, Reason.DESTINATION_BUSY),
    0x15: Meaning("service type is invalid", _F, Reason.BAD_MESSAGE),
    0x33: Meaning("destination is invalid", _F, Reason.BAD_ADDRESS),
    0x40: Meaning("destination flag is invalid", _F, Reason.BAD_MESSAGE),
    0x42: Meaning("submit with replace is invalid", _F, Reason.BAD_MESSAGE),
    0x43: Meaning("esm_class is invalid", _F, Reason.BAD_MESSAGE),
    0x45: Meaning("submit failed", _D, Reason.UNCLASSIFIED),
    0x48: Meaning("sender's type of number is invalid", _F, Reason.SENDER_REFUSED),
    0x49: Meaning("sender's numbering plan is invalid", _F, Reason.SENDER_REFUSED),
    0x50: Meaning("recipient's type of number is invalid", _F, Reason.BAD_MESSAGE),
    0x51: Meaning("recipient's numbering plan is invalid", _F, Reason.BAD_MESSAGE),
    0x53: Meaning("system type is invalid", _F, Reason.BAD_MESSAGE),
    0x54: Meaning("replace flag is invalid", _F, Reason.BAD_MESSAGE),
    0x58: Meaning("throttled", _D, Reason.DESTINATION_BUSY),
    0x61: Meaning("scheduled time is invalid", _F, Reason.BAD_MESSAGE),
    0x62: Meaning("validity is invalid", _F, Reason.BAD_MESSAGE),
    0x64: Meaning("temporary error", _D, Reason.UNCLASSIFIED),
    0x65: Meaning("permanent error", _F, Reason.DESTINATION_REFUSED),
    0x66: Meaning("rejected", _F, Reason.DESTINATION_REFUSED),
    0xC0: Meaning("optional part is invalid", _F, Reason.BAD_MESSAGE),
    0xC1: Meaning("optional parameter is not allowed", _F, Reason.BAD_MESSAGE),
    0xC2: Meaning("parameter length is invalid", _F, Reason.BAD_MESSAGE),
    0xC3: Meaning("optional parameter is missing", _F, Reason.BAD_MESSAGE),
    0xC4: Meaning("optional parameter is invalid", _F, Reason.BAD_MESSAGE),
    0xFE: Meaning("delivery failure", _F, Reason.DESTINATION_REFUSED),
    0xFF: Meaning("unknown error", _D, Reason.UNCLASSIFIED),
}
THROTTLED: Final = frozenset({0x14, 0x58})
"""Slow down: no failure (reliability 24)."""
THROTTLED_SECONDS: Final = 2.0
"""After which a throttled message is tried again."""


def refusal(status: int, where: str = "") -> Receipt:
    """Of a message. A status that the table lacks, as operators' own are (0x400 on), refuses this message and says
    nothing about the number."""
    name, outcome, reason = _KNOWN.get(status, Meaning("refused", _F, Reason.DESTINATION_REFUSED))
    throttled = status in THROTTLED
    provider = reason in (Reason.PROVIDER_PROTOCOL, Reason.PROVIDER_REFUSED, Reason.PROVIDER_LOGIN)
    return Receipt(
        outcome,
        reason,
        f"{where}{name} (0x{status:08X})",
        status,
        counted=not (throttled or provider),
        retry_after=THROTTLED_SECONDS if throttled else None,
    )


def bind_refusal(status: int) -> DeliveryError:
    """0x0D, 0x0E and 0x0F need other settings, so they are not hammered; all else may pass by itself."""
    known = _KNOWN.get(status)
    name = known.name if known else "refused"
    permanent = status in (0x0D, 0x0E, 0x0F, 0x53)
    reason = Reason.PROVIDER_LOGIN if status in (0x0E, 0x0F) else Reason.PROVIDER_REFUSED
    return DeliveryError(f"the operator refused the bind: {name} (0x{status:08X})", permanent, reason=reason)
