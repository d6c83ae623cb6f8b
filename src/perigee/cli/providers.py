"""`perigee providers …`: what messages are sent through."""

from __future__ import annotations

import getpass
from datetime import date
from typing import Any, Literal

import cyclopts
import msgspec
from msgspec import UNSET

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table
from perigee.delivery.channels.webhook.signing import new_secret
from perigee.delivery.pace import Limits
from perigee.delivery.types import ProviderUpdate
from perigee.errors import Invalid

app = cyclopts.App(name="providers", help="Providers: the relays that messages are sent through.")


@app.command(name="list")
def list_providers(*, server: Server = HERE) -> None:
    """List the providers; of each channel the first enabled one is used, and the next while it cannot."""
    with connected(server) as client:
        found = client.list_providers()
    if server.json:
        show_json(found)
        return
    rows = [
        [one.provider_id, one.channel, one.kind, one.name, one.priority, _state(one.enabled)] for one in found
    ]
    show_table(["Id", "Channel", "Kind", "Name", "Priority", "State"], rows, empty="There are no providers.")


@app.command
def add_smtp(
    host: str,
    /,
    *,
    port: int = 587,
    security: Literal["starttls", "tls", "none"] = "starttls",
    username: str = "",
    name: str = "SMTP",
    priority: int = 100,
    server: Server = HERE,
) -> None:
    """Send email through an SMTP relay from now on. The password is asked for, never given on the command line.

    Parameters
    ----------
    host
        Name or address of the relay.
    port
        587 for STARTTLS, 465 for TLS.
    security
        Encryption; none only for a relay on this machine or a trusted network.
    username
        Login at the relay; without one there is no sign-in.
    name
        How the list shows it.
    priority
        The lowest of a channel is used.
    """
    settings: dict[str, Any] = {"host": host, "port": port, "security": security}
    if username:
        settings |= {"username": username, "password": getpass.getpass("Password: ")}
    with connected(server) as client:
        made = client.add_provider("email", "smtp", name, settings, priority=priority)
    if server.json:
        show_json(made)
        return
    console.print(f"provider {made.provider_id}: email goes through {host}:{port}")


@app.command
def add_smpp(
    host: str,
    system_id: str,
    /,
    *,
    port: int = 2775,
    tls: bool = False,
    bind: Literal["transceiver", "tx+rx"] = "transceiver",
    binds: int = 1,
    window: int = 10,
    rate: float = 0.0,
    alphabet: Literal["gsm", "latin1", "ascii"] = "gsm",
    message_ids: Literal["as_is", "hex_to_dec", "dec_to_hex", "no_zeros"] = "as_is",
    name: str = "SMPP",
    priority: int = 100,
    server: Server = HERE,
) -> None:
    """Send SMS through an operator's SMPP account from now on. The password is asked for, never given on the command
    line.

    Parameters
    ----------
    host
        Name or address of the operator's server.
    system_id
        The account's user.
    port
        As the operator says.
    tls
        TLS from the first octet.
    bind
        One session for both directions, or one for each.
    binds
        Sessions of each worker process; the operator says how many there may be in all.
    window
        Messages of a session without an answer.
    rate
        Parts per second and worker process; 0 as fast as it goes.
    alphabet
        What the operator reads data_coding 0 as.
    message_ids
        Whether receipts name messages as the answers did.
    name
        How the list shows it.
    priority
        The lowest of a channel is used.
    """
    settings: dict[str, Any] = {
        "host": host,
        "port": port,
        "system_id": system_id,
        "password": getpass.getpass("Password: "),
        "tls": tls,
        "bind": bind,
        "binds": binds,
        "window": window,
        "rate": rate,
        "alphabet": alphabet,
        "message_ids": message_ids,
    }
    with connected(server) as client:
        made = client.add_provider("sms", "smpp", name, settings, priority=priority)
    if server.json:
        show_json(made)
        return
    console.print(f"provider {made.provider_id}: SMS go through {host}:{port}")


@app.command
def add_gateway(
    *,
    preset: str,
    channel: Literal["sms", "viber"] = "sms",
    username: str = "",
    value: list[str] | None = None,
    signed: bool = False,
    callbacks: bool = True,
    name: str = "",
    priority: int = 100,
    server: Server = HERE,
) -> None:
    """Send SMS or Viber messages through a gateway that takes HTTP. Secrets are asked for.

    Parameters
    ----------
    preset
        twilio, infobip, vonage or turbosms.
    channel
        What the gateway sends.
    username
        Of basic sign-in: Twilio's account SID, Vonage's API key.
    value
        What the preset needs beyond that, as name=value (Infobip: server=https://xyz.api.infobip.com).
    signed
        Ask for the secret that signs reports too, and refuse reports that are not signed with it.
    callbacks
        Off where the gateway cannot call this installation; messages then count as delivered when it took them.
    name
        How the list shows it; the preset's name if absent.
    priority
        The lowest of a channel is used.
    """
    settings: dict[str, Any] = {"preset": preset, "callbacks": callbacks, "values": _values(value or [])}
    if username:
        settings |= {"username": username, "password": getpass.getpass("Password: ")}
    else:
        settings |= {"token": getpass.getpass("API key or token: ")}
    if signed:
        settings["signature_secret"] = getpass.getpass("Signature secret: ")
    with connected(server) as client:
        made = client.add_provider(
            channel, "http_gateway", name or preset.capitalize(), settings, priority=priority
        )
    if server.json:
        show_json(made)
        return
    console.print(f"provider {made.provider_id}: {channel} goes through {preset}")
    if callbacks:
        console.print(f"reports come to {made.callback_url}", soft_wrap=True)


@app.command
def add_webhook(
    url: str,
    /,
    *,
    header: list[str] | None = None,
    connections: int = 16,
    name: str = "Webhook",
    priority: int = 100,
    server: Server = HERE,
) -> None:
    """Post messages of the channel webhook to an endpoint of your own from now on. The signing secret is asked for;
    without one, a new one is made and shown once.

    Parameters
    ----------
    url
        Where the messages go.
    header
        Goes with each request, as name=value; may be given several times. Values are stored encrypted.
    connections
        Requests on their way at once, per worker process.
    name
        How the list shows it.
    priority
        The lowest of a channel is used.
    """
    given = getpass.getpass("Signing secret (empty: make one): ")
    secret = given or new_secret()
    settings: dict[str, Any] = {"url": url, "secret": secret, "connections": connections}
    if header:
        settings["headers"] = _values(header, field="header")
    with connected(server) as client:
        made = client.add_provider("webhook", "webhook", name, settings, priority=priority)
    if server.json:
        show_json(made if given else {**msgspec.to_builtins(made), "secret": secret})
        return
    console.print(f"provider {made.provider_id}: webhooks go to {url}")
    if not given:
        console.print(f"the secret, shown this once: {secret}", soft_wrap=True)


def _values(given: list[str], field: str = "value") -> dict[str, str]:
    """Raises Invalid."""
    parted = [one.partition("=") for one in given]
    if wrong := next((name for name, sign, _ in parted if not sign or not name), None):
        raise Invalid.of(field, wrong, "must be name=value")
    return {name: text for name, _, text in parted}


@app.command
def enable(provider_id: int, /, *, server: Server = HERE) -> None:
    """Let messages go through a provider again.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    _switch(provider_id, True, server)


@app.command
def disable(provider_id: int, /, *, server: Server = HERE) -> None:
    """Let nothing go through a provider any more, but for sends that began with it while no other is enabled.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    _switch(provider_id, False, server)


@app.command
def limit(
    provider_id: int,
    /,
    *,
    second: int | None = None,
    minute: int | None = None,
    hour: int | None = None,
    day: int | None = None,
    warm_up_from: str | None = None,
    weight: int | None = None,
    server: Server = HERE,
) -> None:
    """Set how many messages may go through a provider; what is not named has no limit.

    Parameters
    ----------
    provider_id
        As the list shows it.
    second
        Messages a second.
    minute
        Messages a minute.
    hour
        Messages an hour.
    day
        Messages a day (UTC).
    warm_up_from
        First day of a warm-up, as 2026-11-30: 1,000 messages, then 2,000, 4,000 and so on until day 25.
    weight
        Share of the work among providers of the same priority.
    """
    limits = Limits(second, minute, hour, day, date.fromisoformat(warm_up_from) if warm_up_from else None)
    wanted = ProviderUpdate(limits=limits)
    if weight is not None:
        wanted.weight = weight
    with connected(server) as client:
        changed = client.change_provider(provider_id, wanted)
    if server.json:
        show_json(changed)
        return
    allowed = (
        "" if changed.allowed_today is UNSET else f", today {changed.used_today} of {changed.allowed_today}"
    )
    console.print(f"provider {provider_id} ({changed.name}) has its limits{allowed}")


@app.command
def remove(provider_id: int, /, *, server: Server = HERE) -> None:
    """Remove a provider, its password too. Refused while a send that is not finished goes through it.

    Parameters
    ----------
    provider_id
        As the list shows it.
    """
    with connected(server) as client:
        client.remove_provider(provider_id)
    if server.json:
        show_json({"removed": provider_id})
        return
    console.print(f"provider {provider_id} is removed")


def _switch(provider_id: int, enabled: bool, server: Server) -> None:
    with connected(server) as client:
        changed = client.change_provider(provider_id, ProviderUpdate(enabled=enabled))
    if server.json:
        show_json(changed)
        return
    console.print(f"provider {provider_id} ({changed.name}) is {_state(changed.enabled)}")


def _state(enabled: bool) -> str:
    return "enabled" if enabled else "disabled"
