"""`perigee organisation …`: what the organisation says of itself."""

from __future__ import annotations

from typing import Any

import cyclopts
import msgspec

from perigee.cli.remote import HERE, Server, connected, show_json, show_table

app = cyclopts.App(name="organisation", help="The organisation's name, defaults and switches.")


@app.command
def show(*, server: Server = HERE) -> None:
    """Show the organisation."""
    with connected(server) as client:
        _print(client.get_organisation(), server)


@app.command
def change(
    *,
    name: str | None = None,
    time_zone: str | None = None,
    currency: str | None = None,
    language: str | None = None,
    postal_address: str | None = None,
    always_arrays: bool | None = None,
    contact_activity: bool | None = None,
    utm: bool | None = None,
    utm_source: str | None = None,
    utm_medium: str | None = None,
    utm_campaign: str | None = None,
    server: Server = HERE,
) -> None:
    """Change what is named; the rest stays.

    Parameters
    ----------
    name
        How the organisation is called, also in footers.
    time_zone
        For dates without an offset, such as Europe/Kyiv.
    currency
        For orders without one, such as EUR.
    language
        For messages and contacts without one, such as uk.
    postal_address
        In the footer of marketing email; the law asks for one.
    always_arrays
        One-element results of the eSputnik API stay arrays.
    contact_activity
        The activity feed of the eSputnik API answers.
    utm
        Links of messages get UTM tags; no counts at once, for messages sent before too.
    utm_source
        Of messages that have none of their own; may hold {channel}, {campaign}, {message}, {date} and others.
    utm_medium
        The same.
    utm_campaign
        The same.
    """
    given: dict[str, Any] = {
        "name": name,
        "time_zone": time_zone,
        "currency": currency,
        "language": language,
        "postal_address": postal_address,
        "always_arrays": always_arrays,
        "contact_activity": contact_activity,
        "utm": utm,
        "utm_source": utm_source,
        "utm_medium": utm_medium,
        "utm_campaign": utm_campaign,
    }
    with connected(server) as client:
        changed = client.update_organisation(
            **{key: value for key, value in given.items() if value is not None}
        )
        _print(changed, server)


def _print(organisation: Any, server: Server) -> None:
    if server.json:
        show_json(organisation)
        return
    members = msgspec.structs.asdict(organisation).items()
    show_table(["What", "Value"], [[key.replace("_", " "), value] for key, value in members], empty="")
