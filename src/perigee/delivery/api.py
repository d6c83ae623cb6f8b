"""/api/v4/providers: what an organisation sends through."""

from __future__ import annotations

from typing import Any, cast

from perigee.delivery import providers
from perigee.delivery.types import ProviderCreate, ProviderView
from perigee.http.v4 import Call, Created, Page, operation
from perigee.lib.text import clean, clean_json


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
        )
    return Created(ProviderView(provider_id, wanted.channel, wanted.kind, name, plain, wanted.priority, True))


@operation("GET", "/providers", answer=Page[ProviderView])
async def list_providers(call: Call) -> Page:
    """List providers by channel and priority."""
    async with call.context.database.connection() as connection:
        return Page(await providers.list_providers(connection, call.org_id))
