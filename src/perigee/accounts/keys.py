"""Making API keys and event tokens. Both are shown once; only their keyed fingerprint is stored."""

from __future__ import annotations

from perigee.accounts import store
from perigee.accounts.rights import ACCESS
from perigee.db.pool import Connection
from perigee.errors import Forbidden, Invalid
from perigee.lib import api_keys
from perigee.lib.text import clean

DESCRIPTION_LENGTH = 200


async def create_api_key(
    connection: Connection,
    org_id: int,
    pepper: bytes,
    *,
    description: str,
    access: str = "full",
    created_by: int | None = None,
) -> tuple[int, str]:
    """(id, the new key for the only time). Without a maker it is the organisation's first administrator's. Raises Invalid."""
    if access not in ACCESS or access == "event_token":
        raise Invalid.of(
            "access", access, "must be one of " + ", ".join(sorted(ACCESS.keys() - {"event_token"}))
        )
    key = api_keys.new_key()
    key_id = await store.insert_api_key(
        connection,
        org_id,
        fingerprint=api_keys.fingerprint(key, pepper),
        hint=key[:8],
        description=clean_description(description),
        access=access,
        created_by=created_by if created_by is not None else await store.first_admin(connection, org_id),
    )
    return key_id, key


def clean_description(text: str) -> str:
    """Raises Invalid beyond 200 characters."""
    if len(text) > DESCRIPTION_LENGTH:
        raise Invalid.of("description", text, f"must have at most {DESCRIPTION_LENGTH} characters")
    return clean(text).strip()


async def create_event_token(
    connection: Connection, org_id: int, key_id: int | None, pepper: bytes, *, days: int
) -> str:
    """A Bearer token for the event methods (contract 8.5); it dies with its key or after `days`."""
    if key_id is None:
        raise Forbidden("a token can only be made with an API key")
    token = api_keys.new_key()
    await store.insert_api_token(connection, org_id, api_keys.fingerprint(token, pepper), key_id, days)
    return token
