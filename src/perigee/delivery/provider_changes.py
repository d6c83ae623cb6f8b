"""Providers that are there already: other settings, switched off and on, taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery.channels import channel_class, read_settings
from perigee.delivery.providers import BUILT_IN, Provider, get_provider, part_secrets, shown
from perigee.delivery.types import ProviderUpdate, ProviderView
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.tokens import seal, unseal

q = load(__package__)


async def change_provider(
    connection: Connection, org_id: int, sealing: bytes, provider_id: int, wanted: ProviderUpdate
) -> ProviderView:
    """Changes what `wanted` names. Members of `settings` are merged into the stored ones (RFC 7396: null takes one
    back to the form's default), so a secret stays until another one is given. The whole is checked against the
    channel's form. Open channels follow within `Channels.REFRESH_SECONDS`. A secret must be given
    again with another host or address. Raises Invalid, NotFound."""
    provider = await _lock(connection, org_id, provider_id)
    settings, secrets = provider.settings, provider.secrets
    if wanted.settings is not msgspec.UNSET:
        plain_given, secret_given = part_secrets(provider.kind, wanted.settings)
        known = msgspec.json.decode(unseal(sealing, secrets)) if secrets is not None else {}
        settings, hidden = _merged(settings, plain_given), _merged(known, secret_given)
        read_settings(provider.kind, {**settings, **hidden})
        _require_secrets_anew(provider, settings, known, secret_given)
        if hidden != known:  # sealed anew, equal secrets would look like other ones and reopen the channel
            secrets = seal(sealing, msgspec.json.encode(hidden)) if hidden else None
    values = {
        "org_id": org_id,
        "provider_id": provider_id,
        "name": None if wanted.name is msgspec.UNSET else wanted.name,
        "priority": None if wanted.priority is msgspec.UNSET else wanted.priority,
        "enabled": None if wanted.enabled is msgspec.UNSET else wanted.enabled,
        "weight": None if wanted.weight is msgspec.UNSET else wanted.weight,
        "limits": None if wanted.limits is msgspec.UNSET else msgspec.json.encode(wanted.limits).decode(),
        "settings": msgspec.json.encode(settings).decode(),
        "secrets": secrets,
    }
    row = await (await connection.execute(q.update_provider, values)).fetchone()
    assert row is not None
    return shown(row)


async def remove_provider(connection: Connection, org_id: int, provider_id: int) -> None:
    """Raises NotFound, and Conflict while a send that is not over goes through it: such a send keeps its provider."""
    await _lock(connection, org_id, provider_id)
    # A statement of its own: it must see the sends of whoever held the row until now (`pick_provider`).
    key = {"org_id": org_id, "provider_id": provider_id}
    row = await (await connection.execute(q.delete_provider, key)).fetchone()
    if row is None:
        raise Conflict(f"provider {provider_id} is in use by a send that is not finished; disable it instead")


async def _lock(connection: Connection, org_id: int, provider_id: int) -> Provider:
    if any(provider_id == one.provider_id for one in BUILT_IN.values()):
        raise NotFound(f"provider {provider_id} does not exist")
    await connection.execute(q.lock_provider, {"org_id": org_id, "provider_id": provider_id})
    return await get_provider(connection, org_id, provider_id)


def _require_secrets_anew(
    provider: Provider, settings: Mapping[str, Any], known: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """A stored secret goes to no other place than the one it was given for: who may change the address but does not
    know the password must not learn it at a server of their own. Raises Invalid naming the secret."""
    moved = sorted(
        place
        for place in channel_class(provider.kind).places
        if settings.get(place) != provider.settings.get(place)
    )
    missing = sorted(known.keys() - given.keys())
    if moved and missing:
        raise Invalid(f"{missing[0]}: must be given again, because {moved[0]} changes", field=missing[0])


def _merged(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**stored, **given}.items() if value is not None}
