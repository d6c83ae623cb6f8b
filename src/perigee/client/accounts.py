"""The account behind the key."""

from __future__ import annotations

from perigee.accounts.types import AccountInfo
from perigee.client.transport import Transport, json


async def account_info(transport: Transport) -> AccountInfo:
    """Whose key this is."""
    return await transport.call("GET", "/api/v1/account/info", json(AccountInfo))
