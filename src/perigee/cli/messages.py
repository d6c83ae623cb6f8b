"""`perigee messages …`: what is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import cyclopts
from cyclopts import Parameter

from perigee.cli.remote import HERE, Server, TextFile, connected, console, read_text, show_json, show_table
from perigee.errors import OperatorError

app = cyclopts.App(name="messages", help="Messages: make an email, an SMS or a webhook, list them.")

Channel = Literal["email", "sms", "viber", "mobilepush", "appinbox", "telegram", "webhook"]


@app.command(name="list")
def list_messages(
    *, channel: Channel | None = None, search: str | None = None, server: Server = HERE
) -> None:
    """List messages, newest first.

    Parameters
    ----------
    channel
        Only those of this channel.
    search
        Only those with this in their names.
    """
    with connected(server) as client:
        found = client.list_messages(channel=channel, search=search)
    if server.json:
        show_json(found)
        return
    rows = [[one.message_id, one.channel, one.name, sorted(one.versions)] for one in found]
    show_table(["Id", "Channel", "Name", "Languages"], rows, empty="There are no messages.")


@app.command
def create(
    name: str,
    /,
    *,
    sender: Annotated[str | None, Parameter(name="--from")] = None,
    subject: str | None = None,
    html: TextFile | None = None,
    mjml: TextFile | None = None,
    text: str | None = None,
    body: TextFile | None = None,
    language: str | None = None,
    tag: Annotated[list[str] | None, Parameter(negative="")] = None,
    server: Server = HERE,
) -> None:
    """Make an email from an HTML or MJML file, an SMS from a text, or a webhook from a JSON file.

    Values of people go in with Liquid, {{ first_name | default: "friend" }}, or merge tags, %FIRSTNAME|friend%.

    Parameters
    ----------
    name
        The message's name.
    sender
        `"Shop" <news@shop.example>` for an email, the sender's name or number for an SMS; a webhook has none.
    subject
        Of an email.
    html
        HTML file of an email; - is standard input.
    mjml
        MJML file of an email; - is standard input.
    text
        Text of an SMS.
    body
        JSON file of a webhook; - is standard input.
    language
        Language of the message; by default the organisation's.
    tag
        May be given several times.
    """
    channel, content = _content(subject, html, mjml, text, body)
    if (sender is None) != (channel == "webhook"):
        raise OperatorError("a webhook has no --from" if sender else "an email and an SMS need --from")
    if sender is not None:
        content["from"] = sender
    with connected(server) as client:
        made = client.create_message(channel, name, content, language=language, tags=tag or [])
    if server.json:
        show_json(made)
    else:
        console.print(f"message {made.message_id}")


def _content(
    subject: str | None, html: Path | None, mjml: Path | None, text: str | None, body: Path | None
) -> tuple[str, dict[str, Any]]:
    if sum(source is not None for source in (html, mjml, text, body)) != 1:
        raise OperatorError("give one of --html, --mjml (an email), --text (an SMS) and --body (a webhook)")
    if text is not None:
        if subject is not None:
            raise OperatorError("an SMS has no subject")
        return "sms", {"text": text}
    if body is not None:
        if subject is not None:
            raise OperatorError("a webhook has no subject")
        return "webhook", {"body": read_text(body)}
    if subject is None:
        raise OperatorError("an email needs a --subject")
    if html is not None:
        return "email", {"subject": subject, "htmlText": read_text(html)}
    assert mjml is not None
    return "email", {"subject": subject, "mjml": read_text(mjml)}
