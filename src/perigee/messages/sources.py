"""From sources to scripts: static text and slots (`messages.rendering`). Done once per message version."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from perigee.errors import Invalid
from perigee.messages.contents import check_json
from perigee.messages.engine import Place, Role, Source, Template, Value
from perigee.messages.opaque import Mark, Opaque, mark, split
from perigee.messages.rendering import BlockSlot, LinkSlot, Script, Slot, TargetSlot, ValueSlot
from perigee.messages.slots import Linking, LinkTable, link_address, link_text, open_authority
from perigee.messages.version import CompileOptions, engine_of

_Part = str | Slot | tuple[Mark, int]


class Sources:
    """The sources of one message version. All of them share one link table."""

    def __init__(self, engine: str, options: CompileOptions, *, track: bool) -> None:
        self.engine = engine_of(engine, options)
        self.names = options.names
        self.table = LinkTable(options.first_link)
        self.linking = Linking.of(
            self.table, track=track, tag=options.tag_links, public_url=options.public_url
        )
        self._numbers = itertools.count()

    def source(self) -> Opaque:
        return Opaque(self.engine, self.names)

    def script(self, source: Opaque, text: str, field: str, *, is_html: bool = False) -> Script:
        """`text` with marks, derived from `source`. Raises Invalid that names field, line and reason."""
        template = self.engine.parse(
            Source(source.source_text(text), field, is_html, tuple(source.merges)), self.names
        )
        number = next(self._numbers)
        parts = list(_parts(template, number, is_html))
        return Script(number, is_html, _slots(parts, field, is_html), template.start)

    def line(self, text: str, field: str) -> Script:
        """Text without links: a subject, a display name."""
        source = self.source()
        return self.script(source, source.read(text, field, is_html=False), field)

    def text(self, text: str, field: str, *, again: bool = False) -> Script:
        """Plain text in which addresses of the web are links."""
        source = self.source()
        return self.script(
            source,
            link_text(source, source.read(text, field, is_html=False), self.linking, again=again),
            field,
        )

    def json(self, text: str, field: str) -> Script:
        """A JSON document in which values are written as parts of strings; no links. Raises Invalid also for code that
        prints otherwise than as a value, and for what could never become JSON."""
        source = self.source()
        placed, sample = [], []
        for part in split(source.read(text, field, is_html=False)):
            if isinstance(part, str):
                placed.append(part)
                sample.append(part)
                continue
            code = source.codes[part[1]] if part[0] is Mark.CODE else None
            if code is not None and code.role is Role.PRINTS:
                raise Invalid.of(field, code.text, "cannot print in JSON; values are printed by themselves")
            if code is None or code.role is Role.VALUE:
                sample.append("1")
            is_value = code is not None and code.role is Role.VALUE
            placed.append(source.placed(part[1], Place.JSON) if is_value else mark(*part))
        if not any(code.role is Role.STEERS for code in source.codes):
            check_json(field, "".join(sample))
        return self.script(source, "".join(placed), field)

    def address(self, text: str, field: str) -> Script:
        """One address of the web, or a value that is one: a link as a whole."""
        source = self.source()
        marked = link_address(source, source.read(text, field, is_html=False), self.linking)
        return self.script(source, marked, field)

    def image(self, text: str, field: str) -> Script:
        """The address of an image: never a tracked link."""
        source = self.source()
        untracked = replace(self.linking, track=False, tag=False)
        marked = link_address(source, source.read(text, field, is_html=False), untracked)
        return self.script(source, marked, field)


def _parts(template: Template, number: int, is_html: bool) -> Iterator[_Part]:
    for piece in template.pieces:
        if isinstance(piece, str):
            yield from split(piece)
        elif isinstance(piece, Value):
            yield ValueSlot(piece)
        else:
            assert template.start is not None
            yield BlockSlot(piece, number, template.start, is_html)


def _slots(parts: Sequence[_Part], field: str, is_html: bool) -> list[str | Slot]:
    """Marks become slots; adjacent text is put together."""
    out: list[str | Slot] = []
    stream = iter(parts)
    for part in stream:
        if isinstance(part, str):
            if out and isinstance(out[-1], str):
                out[-1] += part
            else:
                out.append(part)
        elif not isinstance(part, tuple):
            out.append(part)
        elif part[0] is Mark.TARGET:
            out.append(_target(part[1], stream, field, is_html))
        elif part[0] is Mark.END:
            raise _cut(field)
        else:
            out.append(LinkSlot(*part))
    return out


def _target(number: int, stream: Iterator[_Part], field: str, is_html: bool) -> TargetSlot:
    inner: list[str | Slot] = []
    for part in stream:
        if isinstance(part, tuple):
            if part[0] is not Mark.END:
                break
            prefix = inner[0] if inner and isinstance(inner[0], str) else ""
            return TargetSlot(number, tuple(inner), prefix if open_authority(prefix) else "", is_html)
        inner.append(part)
    raise _cut(field)


def _cut(field: str) -> Invalid:
    return Invalid(
        f"{field}: the address of a link must begin and end in the same block of code", field=field
    )
