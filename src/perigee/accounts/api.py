"""/api/v4/organisation and /api/v4/api-keys."""

from __future__ import annotations

import dataclasses

import msgspec

from perigee.accounts import keys, store
from perigee.accounts.organisation import get_organisation, update_organisation
from perigee.accounts.types import (
    ApiKey,
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyRow,
    ApiKeyUpdate,
    Organisation,
    OrganisationUpdate,
)
from perigee.errors import NotFound
from perigee.http.v4 import Call, Created, Page, operation

SHOWN = {
    "key_id": 12,
    "hint": "pk_1a2b3",
    "description": "Shop plugin",
    "access": "events_contacts",
    "enabled": True,
    "created_at": "2026-05-04T10:11:12Z",
    "last_used_at": None,
}


@operation("GET", "/organisation", answer=Organisation)
async def read_organisation(call: Call) -> Organisation:
    """Show the organisation and its defaults."""
    async with call.context.database.connection() as connection:
        return await get_organisation(connection, call.org_id)


@operation(
    "PATCH",
    "/organisation",
    body=OrganisationUpdate,
    answer=Organisation,
    example={"time_zone": "Europe/Kyiv", "postal_address": "Example Shop, 1 Main Street, Kyiv"},
)
async def change_organisation(call: Call) -> Organisation:
    """Change the organisation; what is absent stays. Callers may be served the old values for some seconds."""
    change = await call.json(OrganisationUpdate)
    async with call.context.database.transaction() as connection:
        return await update_organisation(connection, call.org_id, change)


@operation("GET", "/api-keys", answer=Page)
async def list_api_keys(call: Call) -> Page:
    """List API keys, without the keys themselves."""
    async with call.context.database.connection() as connection:
        return Page([_show(row) for row in await store.list_api_keys(connection, call.org_id)])


@operation(
    "POST",
    "/api-keys",
    body=ApiKeyCreate,
    answer=ApiKeyCreated,
    example={"description": "Shop plugin", "access": "events_contacts"},
)
async def create_api_key(call: Call) -> Created:
    """Make an API key; it is shown this once."""
    wanted = await call.json(ApiKeyCreate)
    async with call.context.database.transaction() as connection:
        key_id, key = await keys.create_api_key(
            connection,
            call.org_id,
            call.context.keys.pepper,
            description=wanted.description,
            access=wanted.access,
        )
    return Created(ApiKeyCreated(key_id, key, wanted.description, wanted.access))


@operation(
    "PATCH",
    "/api-keys/{key_id:int}",
    body=ApiKeyUpdate,
    answer=ApiKey,
    example={"enabled": False},
    answer_example=SHOWN,
    refusals=(404,),
)
async def change_api_key(call: Call) -> ApiKey:
    """Rename a key, switch it off or on; a key in use works some seconds longer."""
    change = await call.json(ApiKeyUpdate)
    async with call.context.database.transaction() as connection:
        row = await store.change_api_key(
            connection,
            call.org_id,
            call.path["key_id"],
            description=None
            if change.description is msgspec.UNSET
            else keys.clean_description(change.description),
            enabled=None if change.enabled is msgspec.UNSET else change.enabled,
        )
    if row is None:
        raise _unknown(call.path["key_id"])
    return _show(row)


@operation("DELETE", "/api-keys/{key_id:int}", refusals=(404,))
async def delete_api_key(call: Call) -> None:
    """Delete a key and its tokens for good."""
    async with call.context.database.transaction() as connection:
        if not await store.delete_api_key(connection, call.org_id, call.path["key_id"]):
            raise _unknown(call.path["key_id"])


def _unknown(key_id: int) -> NotFound:
    return NotFound(f"key {key_id} is not found")


def _show(row: ApiKeyRow) -> ApiKey:
    return ApiKey(**dataclasses.asdict(row))
