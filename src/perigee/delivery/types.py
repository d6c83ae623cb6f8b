"""Boundary types of providers (/api/v4/providers)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType


class ProviderCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`settings` are the members of the kind's own form (smtp: host, port, security, username, password …). Of several
    providers of a channel the one with the lowest `priority` is used; the sandbox has 1000."""

    channel: str
    kind: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    settings: dict[str, Any] = {}
    priority: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100


class ProviderUpdate(msgspec.Struct, forbid_unknown_fields=True):
    """What is absent stays, members of `settings` too: a secret is replaced only when it is given. A member that is
    null goes back to its default. A provider that is not `enabled` is chosen for no new send."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    priority: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET


class ProviderView(msgspec.Struct):
    """Secrets are never shown. Whoever knows `callback_url` can report what became of messages."""

    provider_id: int
    channel: str
    kind: str
    name: str
    settings: dict[str, Any]
    priority: int
    enabled: bool
    callback_url: str | UnsetType = UNSET
