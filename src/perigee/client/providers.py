"""What the organisation sends through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.delivery.types import ProviderCreate, ProviderUpdate, ProviderView


async def add_provider(
    transport: Transport,
    channel: str,
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    *,
    priority: int = 100,
) -> ProviderView:
    """`settings` are the members of the kind's form; secrets among them are stored encrypted."""
    wanted = ProviderCreate(channel=channel, kind=kind, name=name, settings=dict(settings), priority=priority)
    return await transport.call("POST", "/api/v4/providers", json(ProviderView), body=wanted)


async def list_providers(transport: Transport) -> list[ProviderView]:
    """By channel and priority: the first of a channel is the one that is used."""
    return await cursor_list(transport, "/api/v4/providers", ProviderView)


async def change_provider(transport: Transport, provider_id: int, wanted: ProviderUpdate) -> ProviderView:
    """What `wanted` does not name stays as it is, secrets too."""
    return await transport.call("PATCH", f"/api/v4/providers/{provider_id}", json(ProviderView), body=wanted)


async def remove_provider(transport: Transport, provider_id: int) -> None:
    """Refused while a send that is not finished goes through it."""
    await transport.call("DELETE", f"/api/v4/providers/{provider_id}", nothing)
