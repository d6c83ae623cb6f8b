"""Applications: mobile apps, App Inboxes and Telegram bots whose tokens the organisation takes."""

from __future__ import annotations

from uuid import UUID

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.push.apps import App, AppCreate, AppKind
from perigee.push.credentials import CredentialsUpdate, CredentialsView


async def add_app(transport: Transport, kind: AppKind, name: str, app_id: UUID | None = None) -> App:
    """One that moves here may keep its id."""
    return await transport.call("POST", "/api/v4/apps", json(App), body=AppCreate(kind, name, app_id))


async def list_apps(transport: Transport) -> list[App]:
    """In the order of their registration."""
    return await cursor_list(transport, "/api/v4/apps", App)


async def remove_app(transport: Transport, app_id: UUID) -> None:
    """The tokens it brought stay with their contacts."""
    await transport.call("DELETE", f"/api/v4/apps/{app_id}", nothing)


async def app_credentials(transport: Transport, app_id: UUID) -> CredentialsView:
    """With which accounts of Firebase and Apple a mobile application is reached; no key is shown."""
    return await transport.call("GET", f"/api/v4/apps/{app_id}/credentials", json(CredentialsView))


async def set_app_credentials(
    transport: Transport, app_id: UUID, wanted: CredentialsUpdate
) -> CredentialsView:
    """What `wanted` does not name stays; None takes an account away."""
    path = f"/api/v4/apps/{app_id}/credentials"
    return await transport.call("PUT", path, json(CredentialsView), body=wanted)
