"""`perigee apps …`: mobile apps, App Inboxes and Telegram bots."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Literal
from uuid import UUID

import cyclopts
import msgspec

from perigee.cli.remote import HERE, Server, connected, console, show_json, show_table
from perigee.errors import OperatorError
from perigee.push.credentials import Apns, CredentialsUpdate, CredentialsView, Fcm, Telegram

app = cyclopts.App(name="apps", help="Applications: mobile apps, App Inboxes, Telegram bots.")


@app.command(name="list")
def list_apps(*, server: Server = HERE) -> None:
    """List the applications."""
    with connected(server) as client:
        found = client.list_apps()
    if server.json:
        show_json(found)
        return
    show_table(
        ["Id", "Kind", "Name"],
        [[one.app_id, one.kind, one.name] for one in found],
        empty="There are no applications.",
    )


@app.command
def add(
    kind: Literal["mobilepush", "appinbox", "telegram"],
    name: str,
    /,
    *,
    app_id: UUID | None = None,
    server: Server = HERE,
) -> None:
    """Register an application.

    Parameters
    ----------
    kind
        What it is.
    name
        How lists show it.
    app_id
        The id that is built into an application which moves here; a new one is made otherwise.
    """
    with connected(server) as client:
        made = client.add_app(kind, name, app_id)
    if server.json:
        show_json(made)
        return
    console.print(f"application {made.app_id}: {made.name}")


@app.command
def remove(app_id: UUID, /, *, server: Server = HERE) -> None:
    """Forget an application and its keys; the tokens it brought stay with their contacts.

    Parameters
    ----------
    app_id
        As the list shows it.
    """
    with connected(server) as client:
        client.remove_app(app_id)
    if server.json:
        show_json({"removed": str(app_id)})
        return
    console.print(f"application {app_id} is removed")


@app.command
def set_fcm(app_id: UUID, file: Path, /, *, server: Server = HERE) -> None:
    """Reach a mobile application's Android devices by Firebase from now on.

    Parameters
    ----------
    app_id
        As the list shows it.
    file
        The JSON file of the service account, as Firebase hands it out.
    """
    try:
        account = msgspec.json.decode(_read(file), type=Fcm)
    except msgspec.MsgspecError as error:
        raise OperatorError(f"{file} is no service account: {error}") from None
    _set(app_id, CredentialsUpdate(fcm=account), server)


@app.command
def set_apns(
    app_id: UUID,
    file: Path,
    /,
    *,
    key_id: str,
    team_id: str,
    topic: str,
    environment: Literal["production", "development"] = "production",
    server: Server = HERE,
) -> None:
    """Reach a mobile application's Apple devices from now on.

    Parameters
    ----------
    app_id
        As the list shows it.
    file
        The .p8 file of the signing key.
    key_id
        Of the signing key, ten signs.
    team_id
        Of the developer's team, ten signs.
    topic
        The bundle id of the application.
    environment
        Development for builds that were not published.
    """
    key = _read(file).decode(errors="replace")
    _set(app_id, CredentialsUpdate(apns=Apns(key, key_id, team_id, topic, environment)), server)


@app.command
def set_bot(app_id: UUID, /, *, server: Server = HERE) -> None:
    """Send a bot's messages to its chats from now on. The bot's token is asked for, never given on the command line.

    Parameters
    ----------
    app_id
        As the list shows it.
    """
    token = getpass.getpass("Token of the bot: ")
    _set(app_id, CredentialsUpdate(telegram=Telegram(token)), server)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise OperatorError(f"{file} cannot be read: {error.strerror}") from None


def _set(app_id: UUID, wanted: CredentialsUpdate, server: Server) -> None:
    with connected(server) as client:
        made = client.set_app_credentials(app_id, wanted)
    if server.json:
        show_json(made)
        return
    console.print(f"application {app_id} is reached through {_services(made)}")


def _services(found: CredentialsView) -> str:
    names = [f"Firebase project {found.fcm.project_id}"] if found.fcm is not None else []
    if found.apns is not None:
        names.append(f"Apple topic {found.apns.topic} ({found.apns.environment})")
    if found.telegram is not None:
        names.append(f"the bot {found.telegram.bot_id}")
    return " and ".join(names) or "nothing"
