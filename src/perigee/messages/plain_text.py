"""The plain text part, made from the HTML when the author wrote none.

Blocks become lines, lists `- ` or `1. `, a link `text (address)`, a linked image its alternative text. Addresses
are the same slots as in the HTML, so a click counts wherever it happens. What is hidden from a reader
(style, script, comments with Outlook's variants, `display:none`) is left out. Code keeps its place.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping

from perigee.messages.html import Kind, Piece, attributes, pieces
from perigee.messages.opaque import MARK_CHARACTER, Mark, Opaque, mark, split, without_marks

_PARAGRAPHS = frozenset(
    ["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "blockquote", "pre", "table", "hr"]
)
_LINES = frozenset(
    [
        "address",
        "article",
        "aside",
        "body",
        "center",
        "dd",
        "div",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "html",
        "li",
        "main",
        "nav",
        "section",
        "tbody",
        "tfoot",
        "thead",
        "tr",
    ]
)
_CELLS = frozenset({"td", "th"})
_SPACE = re.compile(r"[ \t\r\n\f\xa0\u200b\u200c\ufeff]+")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def from_html(source: Opaque, html: str, described: Mapping[int, str]) -> str:
    """Text with marks, from HTML with marks (`slots.link_html`); `described`: the targets of its links."""
    writer = _Writer(source, described)
    for piece in pieces(html, conditional=False):
        writer.take(html, piece)
    return writer.text()


class _Writer:
    """Collects text; blank lines and blanks are only written when something follows them."""

    def __init__(self, source: Opaque, described: Mapping[int, str]) -> None:
        self.source = source
        self.described = described
        self.out: list[str] = []
        self.breaks = 0
        self.space = False
        self.lists: list[tuple[str, int]] = []
        self.links: list[tuple[str, int]] = []
        self.hidden: list[str] = []
        self.verbatim = 0
        self.head = False

    def text(self) -> str:
        return "".join(self.out).strip("\n") + "\n"

    def take(self, html: str, piece: Piece) -> None:
        if piece.kind is Kind.OPEN:
            self._open(html, piece)
        elif piece.kind is Kind.CLOSE:
            self._close(piece.name)
        elif piece.kind is Kind.TEXT and not self.hidden and not self.head:
            self._words(entities.unescape(html[piece.start : piece.end]))

    def _open(self, html: str, piece: Piece) -> None:
        name = piece.name
        if self.hidden:
            if name == self.hidden[-1] and html[piece.end - 2] != "/":
                self.hidden.append(name)
            return
        given = {a.name: a.value for a in attributes(html, piece)}
        if name == "head":
            self.head = True
        elif name == "body":
            self.head = False
        elif _HIDDEN.search(given.get("style", "")) and name not in ("img", "br", "hr", "input"):
            self.hidden.append(name)
            return
        if name == "br":
            self.breaks += 1
        elif name == "hr":
            self._line(2)
            self._write("-" * 20)
            self._line(2)
        elif name == "img":
            if self.links:
                self._words(entities.unescape(given.get("alt", "")))
        elif name == "a":
            self.links.append((entities.unescape(given.get("href", "")).strip(), len(self.out)))
        elif name in _CELLS:
            self.space = True
        else:
            self._block(name)
            if name == "li":
                self._write(self._bullet())
            elif name in ("ul", "ol"):
                self.lists.append((name, 0))
            elif name == "pre":
                self.verbatim += 1

    def _close(self, name: str) -> None:
        if self.hidden:
            if name == self.hidden[-1]:
                self.hidden.pop()
            return
        if name == "head":
            self.head = False
        elif name == "a" and self.links:
            self._end_link(*self.links.pop())
        elif name in ("ul", "ol") and self.lists:
            self.lists.pop()
        elif name == "pre" and self.verbatim:
            self.verbatim -= 1
        self._block(name)

    def _block(self, name: str) -> None:
        if name in ("ul", "ol") and self.lists:
            self._line(1)  # a list in a list
        elif name in _PARAGRAPHS:
            self._line(2)
        elif name in _LINES:
            self._line(1)
        elif name in _CELLS:
            self.space = True

    def _line(self, breaks: int) -> None:
        self.breaks = max(self.breaks, breaks)

    def _bullet(self) -> str:
        kind, count = self.lists.pop() if self.lists else ("ul", 0)
        self.lists.append((kind, count + 1))
        return "  " * (len(self.lists) - 1) + (f"{count + 1}. " if kind == "ol" else "- ")

    def _end_link(self, href: str, since: int) -> None:
        shown = "".join(self.out[since:]).strip()
        address = href
        if href.lower().startswith(("mailto:", "tel:", "sms:")):
            address = href.partition(":")[2].partition("?")[0]
        elif not href or (href[0] != MARK_CHARACTER and not href.lower().startswith(("http://", "https://"))):
            return
        written = self._written(href)
        if shown and shown in (address, written, written.rstrip("/")):
            # The address itself is the text of the link: writing it once is enough, the slot is the live one.
            before = "".join(self.out[since:])
            del self.out[since:]
            self.out.append(before[: len(before) - len(before.lstrip())] + address)
        elif shown:
            self._write(f" ({address})")
        else:
            self._write(address)

    def _written(self, href: str) -> str:
        """The address that an author would read in the place of the slot."""
        first = next(split(href), "")
        if isinstance(first, tuple) and first[0] in (Mark.CLICK, Mark.TARGET):
            return self.described.get(first[1], "")
        return without_marks(href)

    def _words(self, text: str) -> None:
        if self.verbatim:
            self._write(text)
            return
        for part in split(text):
            if isinstance(part, tuple):
                self._mark(*part)
                continue
            if part[0].isspace() or part[0] in "\u200b\u200c\ufeff":
                self.space = True
            words = _SPACE.sub(" ", part).strip(" ")
            if words:
                self._write(words)
                self.space = _SPACE.fullmatch(part[-1]) is not None

    def _mark(self, kind: Mark, number: int) -> None:
        if kind is Mark.CODE and not self.source.codes[number].prints:
            # Steering code is no text: what is due after it stays due. Numbers would all be the same in a loop.
            if self.lists:
                self.lists[-1] = ("ul", self.lists[-1][1])
            self.out.append(mark(kind, number))
            return
        self._write(mark(kind, number))

    def _write(self, text: str) -> None:
        if self.breaks:
            if self.out:
                self.out.append("\n" * min(self.breaks, 2))
        elif self.space and self.out and not self.out[-1].endswith((" ", "\n", "(")):
            self.out.append(" ")
        self.breaks, self.space = 0, False
        self.out.append(text)
