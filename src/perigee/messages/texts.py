"""Texts of the channels that have several short ones: push, app inbox, Viber, Telegram."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from perigee.messages.links import LinkMaker
from perigee.messages.person import Person
from perigee.messages.rendering import Rendering, Script
from perigee.messages.slots import LinkTable
from perigee.messages.sources import Sources
from perigee.messages.version import CompileOptions


class CompiledTexts:
    """`links`: the table to store for the send. `scripts`: by wire name."""

    def __init__(self, scripts: Mapping[str, Script], table: LinkTable) -> None:
        self.scripts = scripts
        self.links = table

    def render(self, person: Person, links: LinkMaker, sent_at: int) -> dict[str, str]:
        """Each text for one person, plain. `sent_at`: epoch seconds. Raises Invalid when the data do not fit."""
        rendering = Rendering(person, links, sent_at)
        return {field: script.text(rendering) for field, script in self.scripts.items()}


def compile_texts(
    texts: Mapping[str, str],
    options: CompileOptions,
    *,
    engine: str = "liquid",
    addresses: Collection[str] = (),
    images: Collection[str] = (),
    lines: Collection[str] = (),
    track: bool = True,
) -> CompiledTexts:
    """`texts`: wire name → template. Those named in `addresses` are one link each, those in `images` one address that is
    not tracked, and `lines` have no links; in the others, whatever reads like an address of the web is one.

    `options.track_clicks`, where it is given, goes before `track`. Raises Invalid that names the wire field.
    """
    sources = Sources(engine, options, track=track if options.track_clicks is None else options.track_clicks)
    scripts = {}
    for field, text in texts.items():
        if field in addresses:
            scripts[field] = sources.address(text, field)
        elif field in images:
            scripts[field] = sources.image(text, field)
        elif field in lines:
            scripts[field] = sources.line(text, field)
        else:
            scripts[field] = sources.text(text, field, again=True)
    return CompiledTexts(scripts, sources.table)
