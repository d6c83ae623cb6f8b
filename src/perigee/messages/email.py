"""Email: one message version compiled to a tape, and the bytes for one person.

The result is the exact RFC 5322 stream before dot-stuffing. No line of it begins with a dot (`lib.mime`), so
`RenderedEmail.dot_free` is always true and an SMTP client need not scan; stuffing stays the client's business.
"""

from __future__ import annotations

import quopri
from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import Final
from urllib.parse import quote

from perigee.errors import Invalid, TooLarge
from perigee.lib import mime
from perigee.messages import html, plain_text
from perigee.messages.contents import Email
from perigee.messages.links import LinkMaker
from perigee.messages.opaque import Mark, Opaque, mark, split
from perigee.messages.person import Person
from perigee.messages.prepare import prepare
from perigee.messages.rendering import BlockSlot, Rendering, Script
from perigee.messages.slots import LinkTable, link_html, link_text
from perigee.messages.sources import Sources
from perigee.messages.tape import Tape
from perigee.messages.version import ENGINES, CompileOptions, MessageVersion, parse_sender

MAX_MESSAGE = 10_000_000
"""Bytes of one rendered message."""

_PARTS = {"plainText": "text/plain", "ampHtml": "text/x-amp-html", "htmlText": "text/html"}
"""From plain to rich, as multipart/alternative wants it."""
_PIXEL = '<img src="{}" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">'
_TRAP = '<div style="display:none;mso-hide:all" aria-hidden="true"><a href="{}" tabindex="-1" rel="nofollow"></a></div>'
_HIDDEN = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;'
    'mso-hide:all">{}' + "&nbsp;&zwnj;" * 60 + "</div>"
)
_FOOTER = (
    '<div style="padding:24px 16px;text-align:center;font-family:Arial,Helvetica,sans-serif;font-size:12px;'
    'line-height:18px;color:#6b6b6b">{}<a href="{}" style="color:#6b6b6b;text-decoration:underline">{}</a></div>'
)


@dataclass(slots=True)
class Envelope:
    """What is fixed for one copy when it is queued.

    `to`: the address, plain. `message_id`: without angle brackets, never changed again (reliability 12).
    `sent_at`: epoch seconds, for `Date` and for `now` in templates. `unsubscribe_mailbox`: an address whose mail
    unsubscribes this recipient (it carries a token), or None. `extra`: further header lines, written as they are.
    """

    to: str
    message_id: str
    sent_at: int
    to_name: str = ""
    unsubscribe_mailbox: str | None = None
    extra: str = ""


@dataclass(slots=True)
class RenderedEmail:
    """`raw`: all bytes, CRLF. `smtputf8`: the address needs RFC 6531; other providers cannot carry it."""

    raw: bytes
    subject: str
    smtputf8: bool
    dot_free: Final[bool] = True


class CompiledEmail:
    """`links`: the table to store for the send. `scripts`: by wire name. `size`: bytes of the HTML source.
    `unsubscribes`: the author's HTML holds an unsubscribe link of its own."""

    def __init__(
        self,
        version: MessageVersion,
        content: Email,
        scripts: dict[str, Script],
        options: CompileOptions,
        table: LinkTable,
        *,
        unsubscribes: bool,
    ) -> None:
        self.unsubscribes = unsubscribes
        self.language = version.language
        self.links = table
        self.scripts = scripts
        self.bulk = options.bulk
        self.size = len(content.html_text.encode("utf-8", "replace"))
        _, self.sender = parse_sender(content.from_)
        self._from = _header(scripts["from"], lambda text: mime.address_header("From", text, self.sender))
        self._subject = scripts["subject"]
        self._static_subject = self._subject.text(_NOBODY) if self._subject.is_static else None
        self._subject_header = _header(self._subject, lambda text: mime.unstructured("Subject", text))
        self._fixed = _fixed_headers(content, options)
        self._assemble()

    def _assemble(self) -> None:
        tape = Tape()
        # The HTML first, so that an error is reported with its line and not with that of the text made from it.
        parts = {
            field: tape.encoded(self.scripts[field])
            for field in ("htmlText", *_PARTS)
            if field in self.scripts
        }
        frame = mime.boundary(*(str(piece) for encoded in parts.values() for piece in encoded))
        whole: list[str | int] = [mime.multipart_header(frame), "\r\n"]
        for field, content_type in _PARTS.items():
            if field in parts:
                whole += [mime.part_opening(frame, content_type), *parts[field], "\r\n"]
        whole.append(mime.closing(frame))
        order, html_order = tape.stretch(whole), tape.stretch(parts["htmlText"])
        self._statics, self._fills = tape.statics, tape.fills
        self._body, self._html = tape.getter(order), tape.getter(html_order)

    def render(self, person: Person, links: LinkMaker, envelope: Envelope) -> RenderedEmail:
        """The message for one person. Raises Invalid when data and template do not fit, or for the address."""
        rendering = Rendering(person, links, envelope.sent_at)
        table = self._statics + [fill(rendering) for fill in self._fills]
        subject = self._static_subject
        if subject is None:
            subject = self._subject.text(rendering)
        head = [
            mime.date_header(envelope.sent_at),
            mime.message_id_header(envelope.message_id),
            self._from(rendering),
            mime.address_header("To", envelope.to_name, envelope.to),
            self._subject_header(rendering),
            self._fixed,
        ]
        if self.bulk:
            head.append(_list_unsubscribe(links.one_click(), envelope.unsubscribe_mailbox))
        if envelope.extra:
            head.append(envelope.extra)
        raw = "".join((*head, *self._body(table))).encode()
        if len(raw) > MAX_MESSAGE:
            raise TooLarge(f"htmlText: the message is larger than {MAX_MESSAGE} bytes")
        return RenderedEmail(raw, subject, smtputf8=not envelope.to.rpartition("@")[0].isascii())

    def html(self, person: Person, links: LinkMaker, sent_at: int) -> str:
        """The HTML alone, for the browser: what the part of the message decodes to."""
        rendering = Rendering(person, links, sent_at)
        table = self._statics + [fill(rendering) for fill in self._fills]
        return quopri.decodestring("".join(self._html(table)).encode()).decode()


def compile_email(version: MessageVersion, options: CompileOptions) -> CompiledEmail:
    """Raises Invalid that names the wire field."""
    content = version.content
    assert isinstance(content, Email)
    if not content.html_text:
        content = prepare(content, ENGINES.get(version.engine))
    sources = Sources(version.engine, options, track=options.track_clicks is not False)
    name, _ = parse_sender(content.from_)
    scripts = {"from": sources.line(name, "from"), "subject": sources.line(content.subject, "subject")}
    source = sources.source()
    linked = link_html(source, source.read(content.html_text, "htmlText", is_html=True), sources.linking)
    page = _completed(source, linked, content, version, options)
    scripts["htmlText"] = sources.script(source, page, "htmlText", is_html=True)
    scripts["plainText"] = _text_script(sources, source, linked, version, options, content)
    if content.amp_html:
        amp = sources.source()
        marked = link_html(
            amp, amp.read(content.amp_html, "ampHtml", is_html=True), sources.linking, again=True
        )
        scripts["ampHtml"] = sources.script(amp, marked, "ampHtml", is_html=True)
    unsubscribes = _unsubscribes(source, linked)
    return CompiledEmail(version, content, scripts, options, sources.table, unsubscribes=unsubscribes)


def _text_script(
    sources: Sources,
    source: Opaque,
    linked: str,
    version: MessageVersion,
    options: CompileOptions,
    content: Email,
) -> Script:
    """The author's text, or one made from the HTML."""
    field = "plainText" if content.plain_text.strip() else "htmlText"
    if field == "plainText":
        source = sources.source()
        read = source.read(content.plain_text, field, is_html=False)
        text = link_text(source, read, sources.linking, again=True)
    else:
        text = plain_text.from_html(source, linked, sources.table.described)
    if options.bulk and not _unsubscribes(source, text):
        footer, language = options.footer, version.language
        lines = [line for line in (footer.organisation, footer.address) if line]
        lines.append(f"{footer.words(language)}: {mark(Mark.UNSUBSCRIBE)}")
        text = text.rstrip("\n") + "\n\n-- \n" + "\n".join(lines) + "\n"
    return _without_first_breaks(sources.script(source, text, field))


def _without_first_breaks(script: Script) -> Script:
    """Line breaks that nothing stands before, now that it is known which code prints nothing."""
    pieces = list(script.pieces)
    for index, piece in enumerate(pieces):
        if isinstance(piece, str):
            pieces[index] = piece = piece.lstrip("\n")
            if piece:
                break
        elif not (isinstance(piece, BlockSlot) and piece.block.blank):
            break
    return replace(script, pieces=pieces)


def _completed(
    source: Opaque, page: str, content: Email, version: MessageVersion, options: CompileOptions
) -> str:
    """The page with its preheader, footer and open pixel."""
    begin, end = html.body_place(page)
    before, after = "", ""
    if content.preheader.strip():
        read = source.read(content.preheader, "preheader", is_html=False)
        before = _HIDDEN.format("".join(escape(p) if isinstance(p, str) else mark(*p) for p in split(read)))
    if options.bulk and not _unsubscribes(source, page):
        lines = [escape(line) for line in (options.footer.organisation, options.footer.address) if line]
        words = escape(options.footer.words(version.language))
        address = "".join(line.replace("\n", "<br>") + "<br>" for line in lines)
        after = _FOOTER.format(address, mark(Mark.UNSUBSCRIBE), words)
    if options.trap:
        after += _TRAP.format(mark(Mark.TRAP))
    if options.track_opens:
        after += _PIXEL.format(mark(Mark.PIXEL))
    return page[:begin] + before + page[begin:end] + after + page[end:]


def _unsubscribes(source: Opaque, text: str) -> bool:
    """Whether the text holds an unsubscribe link, as a slot or in code."""
    return mark(Mark.UNSUBSCRIBE) in text or "unsubscribe_url" in source.reveal(text)


def _fixed_headers(content: Email, options: CompileOptions) -> str:
    out = []
    if content.reply_to.strip():
        name, address = _reply_to(content.reply_to)
        out.append(mime.address_header("Reply-To", name, address))
    out.append(mime.structured("MIME-Version", "1.0"))
    if options.list_id:
        value = options.list_id if "<" in options.list_id else f"<{options.list_id}>"
        out.append(mime.structured("List-Id", value))
    if options.feedback_id:
        out.append(mime.structured("Feedback-ID", options.feedback_id))
    if options.bulk:
        out.append(mime.structured("Precedence", "bulk"))
    for name, value in options.headers.items():
        if name.lower() in _OURS or not name.replace("-", "").isalnum() or not name.isascii():
            raise Invalid.of("headers", name, "cannot be set")
        out.append(mime.structured(name, value))
    return "".join(out)


_MAILBOX = "@!$*+-./_"
_OURS = frozenset(
    [
        "from",
        "to",
        "cc",
        "bcc",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-id",
        "feedback-id",
        "dkim-signature",
        "precedence",
        "return-path",
        "received",
    ]
)


def _reply_to(text: str) -> tuple[str, str]:
    return parse_sender(text, "replyTo") if "<" in text else ("", text.strip())


def _list_unsubscribe(url: str, mailbox: str | None) -> str:
    """https first, mailto second (RFC 2369, 8058)."""
    value = f"<{url}>"
    if mailbox:
        value += f", <mailto:{quote(mime.addr_spec(mailbox), safe=_MAILBOX)}?subject=unsubscribe>"
    return (
        mime.structured("List-Unsubscribe", value) + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    )


def _header(script: Script, write: Callable[[str], str]) -> Callable[[Rendering], str]:
    """A header line, made once when nothing in it depends on the person."""
    if script.is_static:
        line = write(script.text(_NOBODY))
        return lambda rendering: line
    return lambda rendering: write(script.text(rendering))


class _NoLinks:
    """Static text asks for no link."""

    def click(self, link_no: int, target: str | None) -> str:
        raise AssertionError

    def direct(self, target: str) -> str:
        raise AssertionError

    open_pixel = unsubscribe = one_click = view = preferences = confirm = lambda self: ""


_NOBODY = Rendering(Person(), _NoLinks(), 0)
