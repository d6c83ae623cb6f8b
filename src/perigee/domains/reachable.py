"""Whether links to a tracking domain are answered by us: asked over HTTPS, as a reader's browser will."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from perigee.errors import Invalid
from perigee.lib.outside import Limits, Outside, Rules

Reach = Callable[[str], Awaitable[str]]
"""From a host name to what is wrong with it; '' when nothing is."""
LIMITS = Limits(size=10_000, total=8.0, idle=5.0)


def over_https(rules: Rules) -> Reach:
    async def reach(host: str) -> str:
        try:
            async with (
                Outside(rules) as outside,
                outside.request(
                    "GET", f"https://{host}/health", limits=LIMITS, field="tracking_domain"
                ) as reply,
            ):
                body = b"".join([chunk async for chunk in reply.chunks()])
        except Invalid as error:
            return error.message
        return (
            "" if _is_ours(body) else f"https://{host} is answered by something else than this installation"
        )

    return reach


def _is_ours(body: bytes) -> bool:
    try:
        return bool(msgspec.json.decode(body) == {"status": "ok"})
    except msgspec.MsgspecError:
        return False
