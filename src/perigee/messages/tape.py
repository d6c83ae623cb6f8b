"""A message as a tape: static bytes that are transfer-encoded already, and slots between them.

Pieces of a quoted-printable body are joined by soft line breaks, so each is encoded on its own and the line
structure always holds (`lib.mime.quoted_printable`). Per person only the slots are filled, each distinct one once
although it may stand in several parts, and everything is joined in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from html import escape
from operator import itemgetter

from perigee.lib.mime import SOFT_BREAK, quoted_printable
from perigee.messages.engine import Place, Value
from perigee.messages.opaque import Mark
from perigee.messages.rendering import BlockSlot, LinkSlot, Rendering, Script, Slot, ValueSlot

Fill = Callable[[Rendering], str]
"""A slot's text for one person, encoded."""

# Needs neither HTML escaping nor quoted-printable: most names and numbers.
_PLAIN_IN_HTML = re.compile(r"(?!From |\.)[ !#-%(-;?-~]{0,74}[!#-%(-;?-~]")


class Tape:
    """Collects statics and slots; `cut` gives a getter for a stretch of it."""

    def __init__(self) -> None:
        self.statics: list[str] = []
        self.fills: list[Fill] = []
        self._slots: dict[Hashable, int] = {}

    def encoded(self, script: Script) -> list[str | int]:
        """A script as a quoted-printable body: text, and numbers of slots."""
        out: list[str | int] = []
        for piece in script.pieces:
            if out:
                out.append(SOFT_BREAK)
            out.append(quoted_printable(piece) if isinstance(piece, str) else self._slot(piece))
        return out

    def _slot(self, slot: Slot) -> int:
        key = _identity(slot)
        if key not in self._slots:
            self._slots[key] = len(self.fills)
            self.fills.append(_fill(slot))
        return self._slots[key]

    def stretch(self, parts: Sequence[str | int]) -> list[int]:
        """Adjacent text becomes one static. Indexes: ≥ 0 a static, < 0 slot number `-1 - index`."""
        order: list[int] = []
        text: list[str] = []
        for part in (*parts, None):
            if isinstance(part, str):
                text.append(part)
                continue
            if text:
                order.append(len(self.statics))
                self.statics.append("".join(text))
                text = []
            if part is not None:
                order.append(-1 - part)
        return order

    def getter(self, order: Sequence[int]) -> Callable[[list[str]], tuple[str, ...]]:
        """Takes a stretch out of `[*statics, *filled slots]`. To be called when all statics are known."""
        indexes = [index if index >= 0 else len(self.statics) - 1 - index for index in order]
        if len(indexes) == 1:
            (only,) = indexes
            return lambda table: (table[only],)
        return itemgetter(*indexes) if indexes else lambda table: ()


def _identity(slot: Slot) -> Hashable:
    """Equal for slots that give the same text to everybody."""
    match slot:
        case ValueSlot(value):
            return value.name, value.fallback, value.place, value.raw
        case LinkSlot(kind, number):
            return kind, number
        case _:
            return id(slot)


def _fill(slot: Slot) -> Fill:
    match slot:
        case ValueSlot(value):
            return _value_fill(value)
        case LinkSlot(Mark.CLICK, number):
            return _click_fill(number)
        case BlockSlot():
            return lambda rendering: quoted_printable(slot.fill(rendering))
        case _:
            return lambda rendering: _address(slot.fill(rendering))


def _address(url: str) -> str:
    return url if len(url) < 76 and "=" not in url else quoted_printable(url)


def _click_fill(number: int) -> Fill:
    return lambda rendering: _address(rendering.links.click(number, None))


def _value_fill(value: Value) -> Fill:
    """Short ASCII text, which is nearly everything, passes with one look."""
    get, plain = value.get, _PLAIN_IN_HTML.fullmatch
    fallback = quoted_printable(value.written_fallback())
    if value.raw or value.place not in (Place.HTML, Place.TEXT):
        return lambda rendering: quoted_printable(value.render(rendering.person))
    in_html = value.place is Place.HTML

    def fill(rendering: Rendering) -> str:
        found = get(rendering.person)
        if found is None:
            return fallback
        if found.__class__ is str and found:
            text = str(found)
            if in_html:
                return text if plain(text) else quoted_printable(escape(text))
            return quoted_printable(text)
        return quoted_printable(value.render(rendering.person))

    return fill
