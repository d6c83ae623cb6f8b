"""Boundary types of providers (/api/v4/providers)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from perigee.delivery.pace import NO_LIMITS, Limits

Weight = Annotated[int, msgspec.Meta(ge=1, le=1000)]


class ProviderCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`settings` are the members of the kind's own form (smtp: host, port, security, username, password …). Of several
    providers of a channel the one with the lowest `priority` is used, and the next while it is in trouble or at its
    limits; those of one priority share by `weight`. The sandbox has 1000, and stands in for nobody."""

    channel: str
    kind: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    settings: dict[str, Any] = {}
    priority: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100
    weight: Weight = 1
    limits: Limits = NO_LIMITS


class ProviderUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays, members of `settings` too: a secret is replaced only when it is given. A member that is
    null goes back to its default. `limits` are replaced as a whole. A provider that is not
    `enabled` takes nothing, but for sends that began with it while no other is enabled."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    priority: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    weight: Weight | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET


class ProviderView(msgspec.Struct):
    """Secrets are never shown. `used_today` and `allowed_today` (UTC) are there with a limit by the day or a warm-up.
    Whoever knows `callback_url` can report what became of messages."""

    provider_id: int
    channel: str
    kind: str
    name: str
    settings: dict[str, Any]
    priority: int
    enabled: bool
    weight: int = 1
    limits: Limits = NO_LIMITS
    used_today: int | UnsetType = UNSET
    allowed_today: int | UnsetType = UNSET
    callback_url: str | UnsetType = UNSET


class DestinationLimit(msgspec.Struct, forbid_unknown_fields=True):
    """`name`: an operator's first domain, as gmail.com; its other domains share the limit, which is per provider."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=253, pattern=r"^[^\s/@]+\Z")]
    per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)]
