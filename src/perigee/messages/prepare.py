"""From what an author keeps (MJML, or HTML with its CSS apart) to the HTML that is sent. Done when a message is saved.

The tools know neither Liquid nor merge tags: quotes, `>` and tables would damage them. So all code is swapped for
stand-ins that survive where they are (a comment between tags, a word in an attribute, a declaration in a style)
and put back afterwards. Code that a tool dropped is refused, never lost in silence.
"""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from pathlib import Path

import msgspec

from perigee.errors import Invalid
from perigee.lib.text import clean
from perigee.messages import merge_tags
from perigee.messages.contents import Email
from perigee.messages.engine import Engine, Role
from perigee.messages.html import Kind, Piece, attributes, check_size, pieces
from perigee.messages.liquid import Liquid
from perigee.messages.opaque import Mark, Opaque, split
from perigee.messages.person import Names

DEADLINE_SECONDS = 10
MAX_OUTPUT = 8_000_000

_CHILD = str(Path(__file__).with_name("html_child.py"))
_INLINE_STYLE = re.compile(
    r"<mj-style\b[^>]*\binline\s*=\s*[\"']inline[\"'][^>]*>([^<]*)</mj-style\s*>", re.IGNORECASE
)
_STYLE = re.compile(r"<style\b", re.IGNORECASE)


def prepare(content: Email, engine: Engine | None = None, *, inline_styles: bool = False) -> Email:
    """The content with `htmlText` filled from its source: `mjml`, else `rawHtml` and `css`, else itself.

    `inline_styles`: also inline the rules of `<style>` in `htmlText`, which is otherwise sent as it came.
    Starts a child process and waits up to 10 s: call it in a thread, and when saving, not when sending.
    Raises Invalid that names the wire field.
    """
    if content.mjml:
        html = _from_mjml(content.mjml, engine or Liquid())
    elif content.raw_html and (content.css or not content.html_text):
        html = content.raw_html
        if content.css:
            html = inline(html, content.css, engine or Liquid(), "rawHtml")
    elif inline_styles and _STYLE.search(content.html_text):
        html = inline(content.html_text, "", engine or Liquid(), "htmlText", style_tags=True)
    else:
        html = content.html_text
    check_size(html, "htmlText")
    return msgspec.structs.replace(content, html_text=html)


def _from_mjml(source: str, engine: Engine) -> str:
    check_size(source, "mjml", xml=True)
    if "<mj-include" in source.lower():
        raise Invalid("mjml: mj-include is not supported, nothing is loaded from elsewhere", field="mjml")
    css = "\n".join(_INLINE_STYLE.findall(source))
    stand_ins = StandIns(_INLINE_STYLE.sub("", source), engine, "mjml")
    html = stand_ins.restore(_run({"mjml": stand_ins.text}, "mjml"))
    return inline(html, css, engine, "mjml") if css.strip() else html


def inline(html: str, css: str, engine: Engine, field: str, *, style_tags: bool = False) -> str:
    """HTML with the rules of `css` (and with `style_tags` its own) written into `style` attributes.

    Style elements stay, for media queries. Nothing is fetched. Raises Invalid.
    """
    check_size(html, field)
    stand_ins = StandIns(html, engine, field)
    request = {"html": stand_ins.text, "css": css, "style_tags": style_tags}
    return stand_ins.restore(_run(request, field))


def _run(request: dict[str, object], field: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and file, nothing from outside in the arguments
            [sys.executable, "-I", _CHILD],
            input=json.dumps(request).encode("utf-8", "replace"),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=DEADLINE_SECONDS,
            cwd="/",
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Invalid(f"{field}: takes longer than {DEADLINE_SECONDS} s to process", field=field) from None
    if done.returncode != 0 or len(done.stdout) > MAX_OUTPUT:
        raise Invalid(f"{field}: cannot be processed, it is too complex", field=field)
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise Invalid(f"{field}: {clean(answer['error'])[:300]}", field=field)
    html: str = answer["html"]
    return html


# Where text is no HTML, a comment would be shown; the code stands as a bare word there.
_TEXT_ONLY = frozenset(
    {"mj-style", "mj-title", "mj-preview", "style", "script", "title", "textarea", "option"}
)


class StandIns:
    """A source in which code is replaced by words that HTML tools keep."""

    def __init__(self, source: str, engine: Engine, field: str) -> None:
        self.field = field
        self.opaque = Opaque(engine, Names())
        self.word = f"pg{secrets.token_hex(4)}x"
        while self.word in source:
            self.word = f"pg{secrets.token_hex(4)}x"
        marked = self._hide(source, engine)
        self.inside = ""
        self.text = "".join(self._piece(marked, piece) for piece in pieces(marked, conditional=False))

    def _hide(self, source: str, engine: Engine) -> str:
        """Code and merge tags as marks that stand for the very text they replace."""
        source = source.replace("\ufdd0", "").replace("\ufdd1", "")
        out, position = [], 0
        for span in engine.spans(source, self.field):
            out.append(self._merges(source[position : span.start]))
            out.append(self.opaque.hide(source[span.start : span.end], span.role))
            position = span.end
        out.append(self._merges(source[position:]))
        return "".join(out)

    def _merges(self, text: str) -> str:
        names = self.opaque.names
        return merge_tags.replace(
            text, names, html=True, use=lambda merge: self.opaque.hide(merge.written(), Role.VALUE)
        )

    def _piece(self, text: str, piece: Piece) -> str:
        part = text[piece.start : piece.end]
        if piece.kind is Kind.OPEN:
            self.inside = piece.name
            return self._tag(text, piece)
        if piece.kind is Kind.CLOSE:
            self.inside = ""
            return part
        if piece.kind is Kind.COMMENT and part.startswith("<!["):
            return self._comment(self.opaque.hide(part, Role.STEERS))
        between_tags = piece.kind is Kind.TEXT and self.inside not in _TEXT_ONLY
        return self._comment(part) if between_tags else self._bare(part)

    def _comment(self, text: str) -> str:
        return "".join(p if isinstance(p, str) else f"<!--{self._word(p)}-->" for p in split(text))

    def _bare(self, text: str) -> str:
        return "".join(p if isinstance(p, str) else self._word(p) for p in split(text))

    def _word(self, part: tuple[Mark, int]) -> str:
        return f"{self.word}{part[1]}x"

    def _tag(self, text: str, piece: Piece) -> str:
        """Attribute values keep bare words. Code among the attributes is one word from its first to its last."""
        out, position = [], piece.start
        for attribute in attributes(text, piece):
            out.append(text[position : attribute.start])
            value = text[attribute.start : attribute.end]
            out.append(self._style(value) if attribute.name == "style" else self._bare(value))
            position = attribute.end
        out.append(text[position : piece.end])
        tag = "".join(out)
        first, last = tag.find("\ufdd0"), tag.rfind("\ufdd1") + 1
        if first < 0:
            return tag
        region = self.opaque.hide(self._original(tag[first:last]), Role.STEERS)
        return f'{tag[:first]} {self._bare(region)}="" {tag[last:]}'

    def _original(self, text: str) -> str:
        """Marks and words back to the code they stand for."""
        return self.restore_words(self.opaque.reveal(text))

    def _style(self, value: str) -> str:
        """Code that stands for declarations becomes one, or the tool could not read the others."""
        out, before = [], value[:1]
        for part in split(value):
            if isinstance(part, str):
                out.append(part)
                before = part.rstrip()[-1:] or before
            elif before in ('"', "'", ";"):
                out.append(f"--{self._word(part)}:0;")
            else:
                out.append(self._word(part))
                before = "x"
        return "".join(out)

    def restore(self, html: str) -> str:
        """The code back in its places. Raises Invalid when the tool lost any of it."""
        missing = [
            code.text
            for number, code in enumerate(self.opaque.codes)
            if f"{self.word}{number}x" in self.text and f"{self.word}{number}x" not in html
        ]
        if missing:
            shown = missing[0][:60]
            raise Invalid(f"{self.field}: the code {shown} stands where it cannot be kept", field=self.field)
        return self.restore_words(html)

    def restore_words(self, html: str) -> str:
        word = re.escape(self.word)
        pattern = re.compile(
            rf"<!--{word}(\d+)x-->|--{word}(\d+)x:\s*0(?=[;\s\"'])|{word}(\d+)x=\"\"|{word}(\d+)x"
        )
        return pattern.sub(lambda m: self.opaque.codes[int(next(filter(None, m.groups())))].text, html)
