"""The first start: an organisation, an owner's login and an API key, each secret shown once."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import argon2

from perigee.accounts import keys, store
from perigee.contacts.fields import create_default_fields
from perigee.db.pool import Connection
from perigee.delivery.providers import create_sandbox_providers
from perigee.keys import Keys
from perigee.settings import Settings

OWNER = "owner@example.com"


@dataclass(frozen=True)
class FirstStart:
    org_id: int
    organisation: str
    login: str
    password: str
    api_key: str


async def ensure_first_organisation(connection: Connection, settings: Settings) -> FirstStart | None:
    """None when there already is an organisation."""
    # Two processes that start together must not make two.
    await connection.execute("select pg_advisory_xact_lock(hashtext('perigee first start'))")
    if await store.first_organisation(connection) is not None:
        return None
    password = secrets.token_urlsafe(12)
    org_id, api_key = await create_organisation(
        connection, Keys.from_settings(settings), name="My shop", owner=OWNER, password=password
    )
    return FirstStart(org_id, "My shop", OWNER, password, api_key)


async def create_organisation(
    connection: Connection, installation: Keys, *, name: str, owner: str, password: str | None = None
) -> tuple[int, str]:
    """A working organisation: owner, default additional fields, sandbox providers, a full-access key.

    Returns its id and the key.
    """
    org_id = await store.insert_organisation(connection, name)
    hashed = argon2.PasswordHasher().hash(password) if password else None
    user_id = await store.insert_login(connection, owner, hashed)
    await store.insert_membership(connection, org_id, user_id, "admin")
    await create_default_fields(connection, org_id)
    await create_sandbox_providers(connection, org_id)
    _, api_key = await keys.create_api_key(
        connection, org_id, installation.pepper, description="First key", created_by=user_id
    )
    return org_id, api_key
