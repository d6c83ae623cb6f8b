"""SMS and other plain texts: rendered for one person, and counted."""

from __future__ import annotations

from dataclasses import dataclass

from perigee.lib.gsm import SmsSize, count
from perigee.messages.contents import Sms
from perigee.messages.links import LinkMaker
from perigee.messages.person import Person
from perigee.messages.rendering import Rendering, Script
from perigee.messages.slots import LinkTable
from perigee.messages.sources import Sources
from perigee.messages.version import CompileOptions, MessageVersion


@dataclass(slots=True)
class RenderedSms:
    """`sender`: the alpha name or number it comes from."""

    text: str
    sender: str

    @property
    def size(self) -> SmsSize:
        """Coding, units and parts, each of which is billed."""
        return count(self.text)


class CompiledSms:
    """`links`: the table to store for the send. The link maker decides how short tracked links are."""

    def __init__(self, version: MessageVersion, sender: Script, text: Script, table: LinkTable) -> None:
        self.language = version.language
        self.links = table
        self.scripts = {"from": sender, "text": text}

    def render(self, person: Person, links: LinkMaker, sent_at: int) -> RenderedSms:
        """`sent_at`: epoch seconds, `now` in the template. Raises Invalid when the data do not fit."""
        rendering = Rendering(person, links, sent_at)
        return RenderedSms(self.scripts["text"].text(rendering), self.scripts["from"].text(rendering))


def compile_sms(version: MessageVersion, options: CompileOptions) -> CompiledSms:
    """Raises Invalid that names the wire field. Links are tracked when the options or, failing them, the message says so."""
    content = version.content
    assert isinstance(content, Sms)
    track = content.track_urls if options.track_clicks is None else options.track_clicks
    sources = Sources(version.engine, options, track=track)
    sender = sources.line(content.from_, "from")
    return CompiledSms(version, sender, sources.text(content.text, "text"), sources.table)
