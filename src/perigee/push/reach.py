"""Whether something answers at a domain (contract 23.6, 25.7). Asked only where the operator wants it: it leads outside."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from perigee.errors import Conflict, Invalid, PerigeeError
from perigee.lib.outside import Limits, Outside, Rules
from perigee.push.types import WebPushDomain

NOT_REACHED: Final = "Domain can't be reached"

_LIMITS: Final = Limits(size=0, total=10.0, idle=5.0)
_AT_ONCE: Final = 10


async def reached(
    rules: Rules, domains: Sequence[WebPushDomain | PerigeeError], *, outside: Outside | None = None
) -> list[WebPushDomain | PerigeeError]:
    """The domains at which any HTTP answer came, an error page too; Conflict in the place of the others.

    `outside`: a client that is open already.
    """
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(client: Outside, domain: WebPushDomain | PerigeeError) -> WebPushDomain | PerigeeError:
        if isinstance(domain, PerigeeError):
            return domain
        try:
            async with turn, client.request("HEAD", domain.domain + "/", limits=_LIMITS, field="domain"):
                return domain
        except Invalid:
            return Conflict(NOT_REACHED)

    if outside is not None:
        return await asyncio.gather(*(one(outside, domain) for domain in domains))
    async with Outside(rules) as fresh:
        return await reached(rules, domains, outside=fresh)
