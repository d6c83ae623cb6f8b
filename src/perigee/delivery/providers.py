"""Connections to the outside as an organisation has set them up, and the channel objects made from them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import structlog

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import callbacks
from perigee.delivery.channel import Channel
from perigee.delivery.channels import (
    CHANNELS,
    STANDING,
    channel_class,
    open_channel,
    read_settings,
    settings_form,
)
from perigee.delivery.pace import NO_LIMITS, Limits
from perigee.delivery.rendering import CHANNELS as SENDABLE
from perigee.delivery.types import ProviderView
from perigee.errors import Invalid, NotFound, PerigeeError
from perigee.lib.outside import Rules
from perigee.lib.tokens import seal, unseal
from perigee.settings import Settings

log = structlog.get_logger()
q = load(__package__)


class Provider(msgspec.Struct, frozen=True):
    """A row of `provider`. `settings` holds what the channel's settings form declares, secrets excepted."""

    provider_id: int
    channel: str
    kind: str
    name: str
    settings: dict[str, Any]
    secrets: bytes | None = None


APP_INBOX: Final = Provider(0, "appinbox", "appinbox", "App Inbox", {})
WEB_PUSH: Final = Provider(-1, "webpush", "webpush", "Web push", {})
MOBILE_PUSH: Final = Provider(-2, "mobilepush", "mobilepush", "Mobile push", {})
TELEGRAM: Final = Provider(-3, "telegram", "telegram", "Telegram", {})
BUILT_IN: Final = {one.channel: one for one in (APP_INBOX, WEB_PUSH, MOBILE_PUSH, TELEGRAM)}
"""Channels that need no set-up: every organisation has their provider, which is no row, under a number of no row. Web
push has it as soon as there is a domain, mobile push and Telegram as soon as an application has keys; until then the
channel is set up like others."""
_NEEDS: Final = {
    WEB_PUSH.channel: q.has_push_domain,
    MOBILE_PUSH.channel: q.has_app_credentials,
    TELEGRAM.channel: q.has_app_credentials,
}
"""What a built-in provider needs of the organisation."""
_SEALED: Final = frozenset({WEB_PUSH.kind, MOBILE_PUSH.kind, TELEGRAM.kind})
"""Channels that open sealed keys of the organisation."""
GATEWAY: Final = "http_gateway"
"""The kind that is called back."""
WEBHOOK: Final = "webhook"
_OUTSIDE: Final = frozenset({GATEWAY, WEBHOOK})
"""Kinds that call addresses which others give us."""
TO_SET_UP: Final = tuple(channel for channel in SENDABLE if channel != APP_INBOX.channel)


def built_in_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """What the installation says of channels, by kind: settings of built-in ones, surroundings of gateways."""
    return {
        APP_INBOX.kind: {
            "keep": settings.app_inbox_messages,
            "ttl_seconds": settings.app_inbox_ttl_seconds,
        },
        WEB_PUSH.kind: {
            "connections": settings.web_push_connections,
            "networks": settings.outside_networks,
            "ports": settings.outside_ports,
        },
        MOBILE_PUSH.kind: {"connections": settings.mobile_push_connections},
        GATEWAY: {
            "networks": settings.outside_networks,
            "ports": settings.outside_ports,
            "public_url": settings.public_url,
        },
        WEBHOOK: {"networks": settings.outside_networks, "ports": settings.outside_ports},
        TELEGRAM.kind: {"per_second": settings.telegram_per_second},
    }


async def create_sandbox_providers(connection: Connection, org_id: int) -> None:
    """What a new organisation sends through until it has something real."""
    for channel in TO_SET_UP:
        await add_provider(
            connection, org_id, b"", channel=channel, kind="sandbox", name="Sandbox", priority=1000
        )


async def add_provider(
    connection: Connection,
    org_id: int,
    sealing: bytes,
    *,
    channel: str,
    kind: str,
    name: str,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, str] | None = None,
    priority: int = 100,
    weight: int = 1,
    limits: Limits = NO_LIMITS,
) -> int:
    """Stores a provider after checking its settings against the channel's own form. Raises Invalid."""
    _check_kind(kind)
    if kind != "sandbox" and channel not in channel_class(kind).carries():
        raise Invalid.of("channel", channel, f"cannot be sent through {kind}")
    if channel not in TO_SET_UP:
        raise Invalid.of("channel", channel, "must be one of " + ", ".join(TO_SET_UP))
    if kind in BUILT_IN:
        raise Invalid.of("kind", kind, "needs no provider")
    read_settings(kind, {**(settings or {}), **(secrets or {})})
    row = await (
        await connection.execute(
            q.insert_provider,
            {
                "org_id": org_id,
                "channel": channel,
                "kind": kind,
                "name": name,
                "settings": msgspec.json.encode(settings or {}).decode(),
                "secrets": seal(sealing, msgspec.json.encode(secrets)) if secrets else None,
                "priority": priority,
                "weight": weight,
                "limits": msgspec.json.encode(limits).decode(),
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


def part_secrets(kind: str, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(plain, secret) members of a provider's settings, as its form marks them. Raises Invalid for an unknown kind."""
    _check_kind(kind)
    form = settings_form(kind)
    secret = {
        name
        for definition in form["$defs"].values()
        for name, member in definition.get("properties", {}).items()
        if member.get("secret")
    }
    plain = {name: value for name, value in settings.items() if name not in secret}
    return plain, {name: value for name, value in settings.items() if name in secret}


def _check_kind(kind: str) -> None:
    if kind not in CHANNELS:
        raise Invalid.of("kind", kind, "must be one of " + ", ".join(sorted(CHANNELS)))


async def list_providers(connection: Connection, org_id: int) -> list[ProviderView]:
    rows = await (await connection.execute(q.list_providers, {"org_id": org_id})).fetchall()
    return [shown(row) for row in rows]


def shown(row: tuple[Any, ...]) -> ProviderView:
    """A row of `list_providers`."""
    *plain, stored, used = row
    view = ProviderView(*plain)
    view.limits = msgspec.convert(stored, Limits)
    allowed = view.limits.of_day(datetime.now(UTC).date())
    if allowed is not None:
        view.used_today, view.allowed_today = used or 0, allowed
    return view


async def pick_provider(connection: Connection, org_id: int, channel: str) -> int:
    """The organisation's first choice for a channel. Raises Invalid when there is none."""
    built_in = BUILT_IN.get(channel)
    if built_in is not None and await _is_there(connection, org_id, built_in):
        return built_in.provider_id
    row = await (await connection.execute(q.pick_provider, {"org_id": org_id, "channel": channel})).fetchone()
    if row is None:
        raise Invalid(f"channel: no provider is set up for {channel}", field="channel", value=channel)
    return int(row[0])


async def _is_there(connection: Connection, org_id: int, built_in: Provider) -> bool:
    needed = _NEEDS.get(built_in.channel)
    if needed is None:
        return True
    values = {"org_id": org_id, "channel": built_in.channel}
    return await (await connection.execute(needed, values)).fetchone() is not None


async def get_provider(connection: Connection, org_id: int, provider_id: int) -> Provider:
    """Raises NotFound."""
    for built_in in BUILT_IN.values():
        if provider_id == built_in.provider_id:
            return built_in
    row = await (
        await connection.execute(q.get_provider, {"org_id": org_id, "provider_id": provider_id})
    ).fetchone()
    if row is None:
        raise NotFound(f"provider {provider_id} does not exist")
    return Provider(*row)


class Channels:
    """The open channels of a process, by provider; made at first use, made anew when the settings changed."""

    REFRESH_SECONDS = 10.0

    def __init__(self, database: Database, sealing: bytes, built_in: Mapping[str, Mapping[str, Any]]) -> None:
        """`built_in`: see `built_in_settings`."""
        self._database = database
        self._sealing = sealing
        self._built_in = built_in
        self._open: dict[tuple[int, int], tuple[float, Provider, Channel]] = {}
        self._one_at_a_time = asyncio.Lock()  # a provider must not be opened twice

    async def get(self, org_id: int, provider_id: int) -> Channel:
        async with self._one_at_a_time:
            channel, old = await self._get(org_id, provider_id)
        if old is not None:
            await old.close()
        return channel

    async def keep_standing(self) -> None:
        """Opens the providers that send us things of their own accord, and closes those that are switched off, removed
        and through with their sends: a receipt may come days after its message."""
        async with self._database.connection() as connection:
            rows = await (
                await connection.execute(q.standing_providers, {"kinds": list(STANDING)})
            ).fetchall()
        wanted = {(int(org_id), int(provider_id)) for org_id, provider_id in rows}
        for org_id, provider_id in sorted(wanted):
            try:
                (await self.get(org_id, provider_id)).stand()
            except PerigeeError as error:  # one provider that cannot be opened keeps no other from standing
                log.error("a provider cannot be opened", provider_id=provider_id, error=error.message)
        over = [
            key
            for key, (_, provider, _) in self._open.items()
            if provider.kind in STANDING and key not in wanted
        ]
        await asyncio.gather(*[self._open.pop(key)[2].close() for key in over])

    async def _get(self, org_id: int, provider_id: int) -> tuple[Channel, Channel | None]:
        """The channel, and one to close that it replaces."""
        key = (org_id, provider_id)
        found = self._open.get(key)
        now = time.monotonic()
        if found is not None and now - found[0] < self.REFRESH_SECONDS:
            return found[2], None
        async with self._database.connection() as connection:
            provider = await get_provider(connection, org_id, provider_id)
        if found is not None and found[1] == provider:
            self._open[key] = (now, provider, found[2])
            return found[2], None
        channel = self._make(org_id, provider)
        self._open[key] = (now, provider, channel)
        return channel, found[2] if found is not None else None

    def _make(self, org_id: int, provider: Provider) -> Channel:
        kind_of_all = self._built_in.get(provider.kind, {})
        values = {**provider.settings, **(kind_of_all if provider.kind in BUILT_IN else {})}
        if provider.secrets is not None:
            values.update(msgspec.json.decode(unseal(self._sealing, provider.secrets)))
        options: dict[str, Any] = {}
        if provider.kind == "sandbox" or provider.kind in BUILT_IN:  # they work with our own database
            options["database"] = self._database
        if provider.kind in STANDING:  # what comes in is about our messages and contacts
            options |= {"database": self._database, "org_id": org_id, "provider_id": provider.provider_id}
        if provider.kind in _SEALED:
            options["sealing"] = self._sealing
        if len(channel_class(provider.kind).carries()) > 1:
            options["medium"] = provider.channel
        if provider.kind in _OUTSIDE:
            options["rules"] = Rules.of(kind_of_all["networks"], kind_of_all["ports"])
        if provider.kind == GATEWAY:
            options["callback"] = callbacks.address(
                kind_of_all["public_url"], self._sealing, org_id, provider.provider_id
            )
        return open_channel(provider.kind, values, **options)

    async def close(self) -> None:
        for _, _, channel in self._open.values():
            await channel.close()
        self._open.clear()
