"""Messages to send."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from perigee.delivery.channel import Outgoing

BODY = b"From: shop@example.com\r\nMessage-ID: <%d@example.com>\r\nSubject: Hello\r\n\r\nHello\r\n.dotted\r\n"


def make_outgoing(number: int = 1, **changes: Any) -> Outgoing:
    values: dict[str, Any] = {
        "org_id": 1,
        "send_id": 1,
        "ordinal": number,
        "contact_id": number,
        "address": f"user{number}@example.net",
        "iid": f"{number}@example.com",
        "sender": "bounce@example.com",
        "payload": BODY % number,
    }
    return Outgoing(**{**values, **changes})


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop run until something observable is so; a test that waits for ever is stopped by its time limit."""
    while not condition():  # noqa: ASYNC110  # the condition is in a stand-in that signals nothing
        await asyncio.sleep(0)
