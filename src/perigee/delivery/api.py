"""/api/v4/providers: what an organisation sends through."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from perigee.delivery import callbacks, provider_changes, providers
from perigee.delivery.types import ProviderCreate, ProviderUpdate, ProviderView
from perigee.errors import Invalid
from perigee.http.v4 import Call, Created, Page, operation
from perigee.lib.text import clean, clean_json


def _shown(call: Call, view: ProviderView) -> ProviderView:
    if view.kind == providers.GATEWAY:
        context = call.context
        view.callback_url = callbacks.address(
            context.settings.public_url, context.keys.sealing, call.org_id, view.provider_id
        )
    return view


@operation(
    "POST",
    "/providers",
    body=ProviderCreate,
    answer=ProviderView,
    example={
        "channel": "email",
        "kind": "smtp",
        "name": "Relay",
        "settings": {"host": "relay.example.com", "port": 587, "username": "us", "password": "secret"},
    },
)
async def create_provider(call: Call) -> Created:
    """Add a provider; its secrets are stored encrypted and never shown."""
    wanted = await call.json(ProviderCreate)
    name = clean(wanted.name)
    plain, secrets = providers.part_secrets(wanted.kind, cast("dict[str, Any]", clean_json(wanted.settings)))
    async with call.context.database.transaction() as connection:
        provider_id = await providers.add_provider(
            connection,
            call.org_id,
            call.context.keys.sealing,
            channel=wanted.channel,
            kind=wanted.kind,
            name=name,
            settings=plain,
            secrets=secrets,
            priority=wanted.priority,
            weight=wanted.weight,
            limits=wanted.limits,
        )
        made = next(
            one
            for one in await providers.list_providers(connection, call.org_id)
            if one.provider_id == provider_id
        )
    return Created(_shown(call, made))


@operation("GET", "/providers", answer=Page[ProviderView])
async def list_providers(call: Call) -> Page:
    """List providers by channel and priority."""
    async with call.context.database.connection() as connection:
        return Page([_shown(call, one) for one in await providers.list_providers(connection, call.org_id)])


@operation(
    "PATCH",
    "/providers/{provider_id:int}",
    body=ProviderUpdate,
    answer=ProviderView,
    example={"name": "Relay", "priority": 50, "enabled": True, "limits": {"second": 14, "day": 50000}},
)
async def update_provider(call: Call) -> ProviderView:
    """Change a provider's name, priority or settings, or switch it off and on; secrets stay unless given."""
    wanted = await call.json(ProviderUpdate)
    if wanted.name is not msgspec.UNSET:
        wanted.name = clean(wanted.name)
        if not wanted.name:
            raise Invalid.of("name", wanted.name, "must not be empty")
    if wanted.settings is not msgspec.UNSET:
        wanted.settings = cast("dict[str, Any]", clean_json(wanted.settings))
    async with call.context.database.transaction() as connection:
        changed = await provider_changes.change_provider(
            connection, call.org_id, call.context.keys.sealing, call.path["provider_id"], wanted
        )
    return _shown(call, changed)


@operation("DELETE", "/providers/{provider_id:int}", refusals=(409,))
async def delete_provider(call: Call) -> None:
    """Remove a provider; refused while a send that is not finished goes through it."""
    async with call.context.database.transaction() as connection:
        await provider_changes.remove_provider(connection, call.org_id, call.path["provider_id"])
