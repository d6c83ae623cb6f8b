"""One version as one person would get it: the same renderer as for sending, links shown as the author wrote them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from perigee.lib.gsm import SmsSize
from perigee.lib.tokens import Signer
from perigee.messages.contents import Sms
from perigee.messages.email import CompiledEmail, Envelope, compile_email
from perigee.messages.links import SignedLinks
from perigee.messages.person import Person
from perigee.messages.rendering import BlockSlot, LinkSlot, Rendering, Script, Slot, TargetSlot
from perigee.messages.sms import compile_sms
from perigee.messages.version import CompileOptions, MessageVersion

LARGE_HTML = 100_000
"""Bytes of HTML beyond which a large mailbox provider cuts the message (protocols 2.2)."""


@dataclass(frozen=True, slots=True)
class Warning:
    """`code` for programs, `message` for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Preview:
    """`size`: bytes of the whole message. `sms`: coding, units and parts, tracked links counted as they will be sent,
    which is shorter or longer than they are shown; None for email."""

    sender: str
    subject: str
    html: str
    text: str
    amp: str = ""
    size: int = 0
    sms: SmsSize | None = None
    warnings: list[Warning] = field(default_factory=list)


_SAMPLE = Signer({1: bytes(32)}, current=1)
"""Makes links as long as real ones."""


class PreviewLinks:
    """Links that lead nowhere: a preview unsubscribes nobody."""

    def click(self, link_no: int, target: str | None) -> str:
        return "#"

    def direct(self, target: str) -> str:
        return target

    def open_pixel(self) -> str:
        return "#"

    def unsubscribe(self) -> str:
        return "#unsubscribe"

    def one_click(self) -> str:
        return "#unsubscribe"

    def view(self) -> str:
        return "#view"

    def preferences(self) -> str:
        return "#preferences"

    def confirm(self) -> str:
        return "#confirm"


def preview(version: MessageVersion, options: CompileOptions, person: Person, *, now: int) -> Preview:
    """`now`: epoch seconds. Raises Invalid for what does not compile, or does not render with these data."""
    untracked = dataclasses.replace(options, track_clicks=False, track_opens=False)
    if isinstance(version.content, Sms):
        return _sms(version, options, person, now)
    return _email(compile_email(version, untracked), untracked, person, now)


def _email(compiled: CompiledEmail, options: CompileOptions, person: Person, now: int) -> Preview:
    envelope = Envelope("somebody@example.com", "preview@example.com", now)
    rendered = compiled.render(person, PreviewLinks(), envelope)
    message = message_from_bytes(rendered.raw, policy=policy.default)
    parts = {
        part.get_content_type(): _lines(part.get_content())
        for part in message.walk()
        if not part.is_multipart()
    }
    html = parts["text/html"]
    warnings = _missing(compiled.scripts, Rendering(person, PreviewLinks(), now))
    if not rendered.subject.strip():
        warnings.append(Warning("empty_subject", "subject: is empty for this person"))
    if compiled.size > LARGE_HTML:
        warnings.append(
            Warning(
                "large_html", f"htmlText: has {compiled.size} bytes; above {LARGE_HTML} it may be cut off"
            )
        )
    if not compiled.unsubscribes:
        block = "the standard block with one is added" if options.bulk else "it has none"
        warnings.append(Warning("no_unsubscribe_link", f"htmlText: holds no unsubscribe link, {block}"))
        if options.bulk and not options.footer.address:
            warnings.append(
                Warning("no_postal_address", "the organisation has no postal address for the footer")
            )
    return Preview(
        sender=str(message["From"]),
        subject=rendered.subject,
        html=html,
        text=parts["text/plain"],
        amp=parts.get("text/x-amp-html", ""),
        size=len(rendered.raw),
        warnings=warnings,
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n")


def _sms(version: MessageVersion, options: CompileOptions, person: Person, now: int) -> Preview:
    compiled = compile_sms(version, dataclasses.replace(options, track_clicks=False))
    rendered = compiled.render(person, PreviewLinks(), now)
    links = SignedLinks(_SAMPLE, options.public_url, 1, 9_999_999, short=True).of(9_999, person.contact_id)
    size = compile_sms(version, options).render(person, links, now).size
    warnings = _missing(compiled.scripts, Rendering(person, PreviewLinks(), now))
    if size.parts > 1:
        warnings.append(
            Warning("sms_parts", f"text: takes {size.parts} parts for this person, each is billed")
        )
    if not rendered.text.strip():
        warnings.append(Warning("empty_text", "text: is empty for this person"))
    return Preview(
        rendered.sender, "", "", rendered.text, size=len(rendered.text.encode()), sms=size, warnings=warnings
    )


def _missing(scripts: Mapping[str, Script], rendering: Rendering) -> list[Warning]:
    """Values that this person has not and for which the author gave no other text, each once."""
    names: dict[str, None] = {}
    for script in scripts.values():
        names.update(dict.fromkeys(_empty(script.pieces, rendering)))
        for state in rendering.states.values():
            names.update(dict.fromkeys(state.missing))
    return [Warning("missing_value", f"{name} has no value and no fallback") for name in names]


def _empty(pieces: Iterable[str | Slot], rendering: Rendering) -> Iterable[str]:
    for piece in pieces:
        if isinstance(piece, TargetSlot):
            yield from _empty(piece.pieces, rendering)
        elif isinstance(piece, BlockSlot):
            piece.fill(rendering)  # notes what came out empty
        elif not isinstance(piece, (str, LinkSlot)):
            value = piece.value
            if value.fallback is None and not value.render(rendering.person):
                yield value.name
