"""Messages to send."""

from __future__ import annotations

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
