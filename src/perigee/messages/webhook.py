"""Webhooks: a JSON document for one person. Values are written as JSON strings are, so what comes out is JSON whatever a
value holds, or is refused for this person."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from perigee.errors import Invalid
from perigee.messages.contents import Webhook
from perigee.messages.links import LinkMaker
from perigee.messages.person import Person
from perigee.messages.rendering import Rendering, Script
from perigee.messages.slots import LinkTable
from perigee.messages.sources import Sources
from perigee.messages.version import CompileOptions, MessageVersion


class CompiledWebhook:
    """`links`: always empty, what machines read is not tracked."""

    def __init__(self, version: MessageVersion, body: Script, table: LinkTable) -> None:
        self.language = version.language
        self.links = table
        self.scripts: Mapping[str, Script] = {"body": body}

    def render(self, person: Person, links: LinkMaker, sent_at: int) -> bytes:
        """The document. `sent_at`: epoch seconds. Raises Invalid when the data do not fit, and for what is not JSON."""
        body = self.scripts["body"].text(Rendering(person, links, sent_at)).encode()
        try:
            msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise Invalid(f"body: is not JSON with this person's data: {error}", field="body") from None
        return body


def compile_webhook(version: MessageVersion, options: CompileOptions) -> CompiledWebhook:
    """Raises Invalid that names the wire field."""
    content = version.content
    assert isinstance(content, Webhook)
    sources = Sources(version.engine, options, track=False)
    return CompiledWebhook(version, sources.json(content.body, "body"), sources.table)
