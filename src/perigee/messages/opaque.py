"""Sources in which everything that is not plain text stands as a mark of a few characters.

Code of a template language holds quotes, `>` and line breaks that would derail whoever reads the HTML around it,
and links become slots that are filled per person. Both are written as marks: characters that no text can hold
(Unicode noncharacters, taken out of every source first) around a number, and a word made anew in each process, so
that not even a value written `raw` can imitate one.
"""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from perigee.lib.mime import without_surrogates
from perigee.messages import merge_tags
from perigee.messages.engine import Engine, Merge, Place, Role
from perigee.messages.person import Names


class Mark(Enum):
    CODE = "x"
    CLICK = "c"  # a tracked link whose target is stored
    TARGET = "t"  # … whose target follows, up to END
    END = "e"
    UNSUBSCRIBE = "u"
    VIEW = "v"
    PREFERENCES = "f"
    CONFIRM = "k"
    TRAP = "h"  # the link that only programs follow
    PIXEL = "p"


_NONCE = secrets.token_hex(4)
MARK_CHARACTER = "\ufdd0"
_MARK = re.compile(f"\ufdd0{_NONCE}([a-z])(\\d+)\ufdd1")
_FORGED = {0xFDD0: None, 0xFDD1: None}
URL_NAMES = {
    "unsubscribe_url": Mark.UNSUBSCRIBE,
    "view_url": Mark.VIEW,
    "preferences_url": Mark.PREFERENCES,
    "confirm_url": Mark.CONFIRM,
}
"""What templates call our links; `%PREFERENCES_URL%` and so on are the same as merge tags."""
_URL_TAG = re.compile("%(" + "|".join(name.upper() for name in URL_NAMES) + ")%")
_QUOTED = re.compile(r"(\"[^\"]*\"|'[^']*')")


def mark(kind: Mark, number: int = 0) -> str:
    return f"\ufdd0{_NONCE}{kind.value}{number}\ufdd1"


def split(text: str) -> Iterator[str | tuple[Mark, int]]:
    """Text and marks in order; empty text is left out."""
    if MARK_CHARACTER not in text:
        if text:
            yield text
        return
    parts = _MARK.split(text)
    for index in range(0, len(parts), 3):
        if parts[index]:
            yield parts[index]
        if index + 1 < len(parts):
            yield Mark(parts[index + 1]), int(parts[index + 2])


def without_marks(text: str) -> str:
    """The text between the marks."""
    return _MARK.sub("", text)


@dataclass(slots=True)
class Code:
    text: str
    role: Role


@dataclass(slots=True)
class Opaque:
    """What the CODE marks and the merge tags of one source stand for."""

    engine: Engine
    names: Names
    codes: list[Code] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    def read(self, text: str, source_field: str, *, is_html: bool) -> str:
        """The text with its code and merge tags hidden, line ends as LF. Raises Invalid for code that never ends.

        Several texts may be read into one source; they are one template then.
        """
        text = without_surrogates(text.replace("\r\n", "\n").replace("\r", "\n"))
        if "\ufdd0" in text or "\ufdd1" in text:
            text = text.translate(_FORGED)
        if self.engine.name == "literal":
            return text
        if is_html:
            text = merge_tags.without_declarations(text)
        out, position = [], 0
        for span in self.engine.spans(text, source_field):
            out.append(self._plain(text[position : span.start], is_html))
            out.append(self._code(text[span.start : span.end], span.role, is_html))
            position = span.end
        out.append(self._plain(text[position:], is_html))
        return "".join(out)

    def hide(self, code: str, role: Role) -> str:
        """A mark for code."""
        self.codes.append(Code(code, role))
        return mark(Mark.CODE, len(self.codes) - 1)

    def placed(self, number: int, place: Place) -> str:
        """A mark for the same code, its value written for another place."""
        return self.hide(self.engine.placed(self.codes[number].text, place), Role.VALUE)

    def reveal(self, text: str, *, seal: str = "") -> str:
        """Text with its code, each piece followed by `seal`: CODE marks become code, other marks stay."""
        if MARK_CHARACTER not in text:
            return text
        return _MARK.sub(
            lambda m: self.codes[int(m[2])].text + seal if m[1] == Mark.CODE.value else m[0], text
        )

    def source_text(self, text: str) -> str:
        """Text as the engine parses it."""
        return self.reveal(text, seal=self.engine.seal)

    def _plain(self, text: str, is_html: bool) -> str:
        text = _URL_TAG.sub(lambda tag: mark(URL_NAMES[tag[1].lower()]), text)
        return merge_tags.replace(text, self.names, html=is_html, use=self._merge)

    def _merge(self, merge: Merge) -> str:
        self.merges.append(merge)
        return self.hide(self.engine.merge(len(self.merges) - 1), Role.VALUE)

    def _code(self, code: str, role: Role, is_html: bool) -> str:
        if is_html and (role is Role.VALUE or code.find("{", 2) < 0):  # verbatim blocks hold HTML, not code
            code = _as_typed(code)
        if role is Role.VALUE and (kind := URL_NAMES.get(self.engine.bare_name(code) or "")):
            return mark(kind)
        return self.hide(code, role)


def _as_typed(code: str) -> str:
    """Visual editors write `&quot;`, `&gt;` and `&nbsp;` into code; inside the author's own quotes they are meant."""
    if "&" not in code:
        return code
    parts = _QUOTED.split(code)
    return "".join(
        part if index % 2 else html.unescape(part).replace("\xa0", " ") for index, part in enumerate(parts)
    )
