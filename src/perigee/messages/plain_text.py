"""The plain text part, made from the HTML when the author wrote none.

Blocks become lines, lists `- ` or `1. `, a link `text (address)`, a linked image its alternative text. Addresses
are the same slots as in the HTML, so a click counts wherever it happens. What is hidden from a reader
(style, script, comments with Outlook's variants, `display:none`) is left out. Code keeps its place.
"""

from __future__ import annotations

import html as entities
import re
from collections.abc import Mapping

from perigee.messages.engine import Role
from perigee.messages.html import Kind, Piece, attribute_text, attributes, pieces
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
    """Collects text. Line breaks and blanks wait until something follows them.

    Steering code may stand among the breaks. Those that a block behind it asked for (the `<li>` of a loop) are
    written behind it, what was due before and is more than that (the end of a paragraph) before it.
    """

    def __init__(self, source: Opaque, described: Mapping[int, str]) -> None:
        self.source = source
        self.described = described
        self.out: list[str] = []
        self.breaks = 0
        self.space = False
        self.begun = False
        self.code_at: int | None = None
        self.before_code = (0, False)
        self.lists: list[tuple[str, int]] = []
        self.links: list[tuple[str, int]] = []
        self.hidden: list[str] = []
        self.verbatim = 0
        self.head = False

    def text(self) -> str:
        return "".join(self.out).strip("\n") + "\n"

    def take(self, html: str, piece: Piece) -> None:
        if piece.kind is Kind.OPEN:
            unread = self._unread(html, piece)
            self._open(html, piece)
            self._steer(unread)
        elif piece.kind is Kind.CLOSE:
            self._close(piece.name)
        elif piece.kind is Kind.TEXT and not self.hidden and not self.head:
            self._words(entities.unescape(html[piece.start : piece.end]))
        else:
            self._steer(html[piece.start : piece.end])

    def _steer(self, unseen: str) -> None:
        """Where nothing is shown, code still steers: an `assign` in the head, an `if` between attributes."""
        for part in split(unseen):
            if isinstance(part, tuple) and self._steers(*part):
                self._mark(*part)

    def _steers(self, kind: Mark, number: int) -> bool:
        return kind is Mark.CODE and self.source.codes[number].role is Role.STEERS

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
            self._line(self.breaks + 1)
        elif name == "hr":
            self._line(2)
            self._write("-" * 20)
            self._line(2)
        elif name == "img":
            if self.links:
                self._words(attribute_text(given.get("alt", "")))
        elif name == "a":
            self.links.append((attribute_text(given.get("href", "")).strip(), len(self.out)))
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

    def _unread(self, html: str, tag: Piece) -> str:
        """The tag without the attributes that are written to the text."""
        out, position = [], tag.start
        for attribute in attributes(html, tag):
            read = (tag.name, attribute.name)
            if not self.hidden and (read == ("a", "href") or (read == ("img", "alt") and self.links)):
                out.append(html[position : attribute.start])
                position = attribute.end
        return "".join(out) + html[position : tag.end]

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
            self._steer(href)
            return
        written = self._written(href)
        if shown and shown in (address, written, written.rstrip("/")) and not self._code_in(since):
            # The address itself is the text of the link: writing it once is enough, the slot is the live one.
            before = "".join(self.out[since:])
            del self.out[since:]
            self.out.append(before[: len(before) - len(before.lstrip())] + address)
        elif shown:
            self._write(f" ({address})")
        else:
            self._write(address)

    def _code_in(self, since: int) -> bool:
        """Whether the text of a link holds code that must not be dropped with it."""
        return any(
            isinstance(p, tuple) and self._steers(*p) for text in self.out[since:] for p in split(text)
        )

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
            if _SPACE.match(part):
                self.space = True
            words = _SPACE.sub(" ", part).strip(" ")
            if words:
                self._write(words)
                if _SPACE.match(part[-1]):
                    self.space = True

    def _mark(self, kind: Mark, number: int) -> None:
        if self._steers(kind, number):
            if self.lists:
                self.lists[-1] = (
                    "ul",
                    self.lists[-1][1],
                )  # a number would be the same in every turn of a loop
            self._settle_code()
            self.before_code = (self.breaks, self.space)
            self.breaks, self.space, self.code_at = 0, False, len(self.out)
            self.out.append(mark(kind, number))
            return
        self._write(mark(kind, number))

    def _settle_code(self) -> None:
        """What was due before the last steering code, less what is due behind it."""
        if self.code_at is not None and self.begun:
            breaks, space = self.before_code
            due = "\n" * min(2, max(0, breaks - self.breaks)) if breaks else " " if space else ""
            if due and not (due == " " and (self.breaks or self._ends_open(self.code_at))):
                self.out.insert(self.code_at, due)
                self.links = [(href, since + (since > self.code_at)) for href, since in self.links]
        self.code_at = None

    def _ends_open(self, index: int) -> bool:
        return self.out[index - 1].endswith((" ", "\n", "(")) if index else True

    def _write(self, text: str) -> None:
        self._settle_code()
        if self.out and self.breaks:
            self.out.append("\n" * min(self.breaks, 2))
        elif self.out and self.space and not self._ends_open(len(self.out)):
            self.out.append(" ")
        self.breaks, self.space, self.begun = 0, False, True
        self.out.append(text)
