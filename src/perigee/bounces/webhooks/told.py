"""What all services share: a report in our words, a fresh call, a body that is JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from perigee.bounces.mail import shown
from perigee.bounces.meaning import why
from perigee.delivery.channel import EventType, ProviderRequest, Reason
from perigee.errors import Invalid, Unauthorized
from perigee.lib.outside import Outside

WINDOW: Final = timedelta(hours=24)
"""How old a call may be. Providers try again for hours, some with the first call's time; that the same report counts
once is the ledger's doing, not this window's."""
AHEAD: Final = timedelta(minutes=10)


class Told(NamedTuple):
    """`names`: what may be the token of the message, the likeliest first. `reason` only of a bounce."""

    names: tuple[str, ...]
    type: EventType
    at: datetime
    text: str = ""
    reason: Reason | None = None
    event_id: str | None = None


Read = Callable[[ProviderRequest, str, datetime, Outside], Awaitable[list[Told]]]


class Service(NamedTuple):
    """`check_key` gives the key in its stored form or raises Invalid. `read` raises Unauthorized for a call that does not
    prove itself and Invalid for a body that is not the service's."""

    check_key: Callable[[str], str]
    read: Read


def parse(body: bytes) -> Any:
    """Raises Invalid."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Invalid.of("body", "", "is not JSON") from None


def member(value: object, *path: str) -> Any:
    """A member at any depth; an empty text where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None else value


def text_of(value: object, *path: str) -> str:
    found = member(value, *path)
    return shown(found) if isinstance(found, str) else ""


def moment(value: object, now: datetime) -> datetime:
    """ISO 8601 or seconds since 1970; `now` for anything else."""
    try:
        if isinstance(value, int | float):
            found = datetime.fromtimestamp(value, UTC)
        else:
            found = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return now
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if now - timedelta(days=30) < found <= now else now


def require_fresh(seconds: str, now: datetime) -> None:
    """Raises Unauthorized for a call that was signed too long ago, or for no time at all."""
    try:
        at = datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Unauthorized("the call names no time") from None
    if not now - WINDOW <= at <= now + AHEAD:
        raise Unauthorized("the call is too old, or this machine's clock is wrong")


def local_part(message_id: object) -> str:
    """Of a Message-ID with or without brackets."""
    return message_id.strip("<> ").partition("@")[0] if isinstance(message_id, str) else ""


def hard(status: str, text: str, code: int = 0) -> Reason:
    """Why, where the service itself judged that the address is dead: only better words overrule it."""
    reason = why(status, text, code)
    return Reason.NO_SUCH_RECIPIENT if reason is Reason.UNCLASSIFIED else reason
