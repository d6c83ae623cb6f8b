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
    short_url: str | None = None,
    double_opt_in: bool | None = None,
    confirmation_mail: bool | None = None,
    confirmation_message_id: int | None = None,
    confirmation_redirect: str | None = None,
    honeypot: bool | None = None,
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
    short_url
        Short links of SMS and Viber begin with it, such as https://go.example.com; '' for the installation's address.
    double_opt_in
        Addresses from subscription forms wait for their owner's word.
    confirmation_mail
        Their owners are asked by mail.
    confirmation_message_id
        The message that asks; it holds {{ confirm_url }}. 0: the built-in one.
    confirmation_redirect
        Where people land who confirmed; empty: on our own page.
    honeypot
        Marketing email holds a link that nobody sees, by which link scanners are known.
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
        "short_url": short_url,
        "double_opt_in": double_opt_in,
        "confirmation_mail": confirmation_mail,
        "confirmation_message_id": confirmation_message_id,
        "confirmation_redirect": confirmation_redirect,
        "honeypot": honeypot,
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
