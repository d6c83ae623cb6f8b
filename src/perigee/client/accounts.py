"""The account behind the key."""

from __future__ import annotations

from typing import Any

from perigee.accounts.types import (
    AccountInfo,
    ApiKey,
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyUpdate,
    Organisation,
    OrganisationUpdate,
)
from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing


async def account_info(transport: Transport) -> AccountInfo:
    """Whose key this is."""
    return await transport.call("GET", "/api/v1/account/info", json(AccountInfo))


async def get_organisation(transport: Transport) -> Organisation:
    """Name, defaults and switches."""
    return await transport.call("GET", "/api/v4/organisation", json(Organisation))


async def update_organisation(transport: Transport, /, **change: Any) -> Organisation:
    """`change` has members of `Organisation`; the others stay."""
    wanted = OrganisationUpdate(**change)
    return await transport.call("PATCH", "/api/v4/organisation", json(Organisation), body=wanted)


async def list_api_keys(transport: Transport) -> list[ApiKey]:
    """All keys, without the keys themselves."""
    return await cursor_list(transport, "/api/v4/api-keys", ApiKey)


async def create_api_key(transport: Transport, description: str, *, access: str = "full") -> ApiKeyCreated:
    """The answer is the only place where the key is ever shown."""
    wanted = ApiKeyCreate(description=description, access=access)
    return await transport.call("POST", "/api/v4/api-keys", json(ApiKeyCreated), body=wanted)


async def enable_api_key(transport: Transport, key_id: int, *, enabled: bool) -> ApiKey:
    """Switches a key on or off."""
    wanted = ApiKeyUpdate(enabled=enabled)
    return await transport.call("PATCH", f"/api/v4/api-keys/{key_id}", json(ApiKey), body=wanted)


async def delete_api_key(transport: Transport, key_id: int) -> None:
    """For good, with its tokens."""
    await transport.call("DELETE", f"/api/v4/api-keys/{key_id}", nothing)
