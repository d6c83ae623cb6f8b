"""Links of a source become slots: marks that are filled for each person (TRACKING 9).

Every http(s) `href` of `<a>`, `<area>` and Outlook's `<v:…>` gets a number in document order. Left alone are
`mailto:`, `tel:`, anchors and relative addresses. Placeholders for unsubscribing, the web version, the preference
page and the confirmation of a subscription, by their well-known addresses, as `{{ unsubscribe_url }}`, `{{ view_url }}`,
`{{ preferences_url }}` and `{{ confirm_url }}` or as merge tags (`%UNSUBSCRIBE_URL%`), become slots of their own.

A target without code is stored in the link table. One with code is rendered per person and travels in the link
under a signature. Where links are not tracked but get UTM tags, every target is rendered. A value inside a target is percent-encoded: it may become neither host nor another parameter.
Only when the whole address is one value (`href="{{ item.url }}"`) does it come from the data, by the author's will.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from perigee.errors import Invalid
from perigee.messages import html
from perigee.messages.engine import Place, Role
from perigee.messages.html import Attribute, Piece
from perigee.messages.opaque import MARK_CHARACTER, Mark, Opaque, mark, split, without_marks

MAX_TARGET = 2_000
"""Characters of a target that is tracked; longer ones are left as they are."""
UNTRACKED = 0
"""The number of a TARGET slot that only writes its target."""
DIRECT = 1_000_000
"""The number of a TARGET slot whose target the link maker writes; link tables never come so far."""

_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_IN_TEXT = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_AFTER_URL = ".,;:!?)]}'"
_PLACEHOLDER_HOSTS = ("esputnik.com", "yespo.io")
_SOURCES = frozenset({"src", "background", "poster"})


@dataclass(slots=True)
class LinkTable:
    """The links of one message version, numbered from `first` in document order.

    `targets`: number → URL for stored ones, None for those rendered per person. `described`: the target as it is
    written in the source, code and all, for reports.
    """

    first: int = 1
    targets: dict[int, str | None] = field(default_factory=dict)
    described: dict[int, str] = field(default_factory=dict)
    _known: dict[str, int] = field(default_factory=dict)

    @property
    def next_number(self) -> int:
        return self.first + len(self.targets)

    def add(self, description: str, target: str | None, *, again: bool) -> int:
        """The link's number. `again`: the same target in another part of the message is the same link."""
        if again and description in self._known:
            return self._known[description]
        number = self.next_number
        self.targets[number] = target
        self.described[number] = description
        self._known.setdefault(description, number)
        return number


@dataclass(frozen=True, slots=True)
class Linking:
    """How links of a message are treated. `public_url` is ours, without a slash at its end."""

    table: LinkTable
    track: bool
    tag: bool
    placeholders: dict[str, Mark]

    @classmethod
    def of(cls, table: LinkTable, *, track: bool, tag: bool, public_url: str) -> Linking:
        return cls(table, track, tag, _placeholders(public_url))

    @property
    def untracked(self) -> int:
        return DIRECT if self.tag else UNTRACKED


def _placeholders(public_url: str) -> dict[str, Mark]:
    hosts = [f"{scheme}://{host}" for host in _PLACEHOLDER_HOSTS for scheme in ("https", "http")]
    paths = {
        "/unsubscribe": Mark.UNSUBSCRIBE,
        "/viewInBrowser": Mark.VIEW,
        "/preferences": Mark.PREFERENCES,
        "/confirmSubscription": Mark.CONFIRM,
    }
    return {base + path: kind for base in (*hosts, public_url) for path, kind in paths.items()}


def link_html(source: Opaque, text: str, linking: Linking, *, again: bool = False) -> str:
    """The text, read by `source`, with its links as marks. `again`: another part of the same message came first."""

    def change(tag: Piece, attribute: Attribute) -> str | None:
        if attribute.name == "href" and (tag.name in ("a", "area") or tag.name.startswith("v:")):
            return _href(source, linking, html.attribute_text(attribute.value).strip(), again)
        if attribute.name in _SOURCES and MARK_CHARACTER in attribute.value:
            return _source(source, attribute.value)
        return None

    return html.rewrite(text, change)


def link_text(source: Opaque, text: str, linking: Linking, *, again: bool = True) -> str:
    """The same for plain text, where whatever reads like an address of the web is a link."""

    def change(match: re.Match[str]) -> str:
        url = match[0].rstrip(_AFTER_URL)
        return (_href(source, linking, url, again) or url) + match[0][len(url) :]

    return _IN_TEXT.sub(change, text)


def link_address(source: Opaque, text: str, linking: Linking) -> str:
    """The same for a text that is one address (the link of a push)."""
    return _href(source, linking, text.strip(), again=True) or text


def _href(source: Opaque, linking: Linking, url: str, again: bool) -> str | None:
    """What the address becomes; None: it stays as it is."""
    if kind := linking.placeholders.get(url):
        return mark(kind)
    parts = list(split(url))
    if all(isinstance(part, str) for part in parts):
        url = re.sub(r"[\t\r\n]", "", url)
        if not _WEB.match(url) or len(url) > MAX_TARGET:
            return None
        if not linking.track:
            return _direct(source, url) if linking.tag else None
        return mark(Mark.CLICK, linking.table.add(url, url, again=again))
    if not _is_code(parts) or not (_WEB.match(url) or not isinstance(parts[0], str)):
        return None
    number = linking.table.add(source.reveal(url), None, again=again) if linking.track else linking.untracked
    return mark(Mark.TARGET, number) + _placed(source, parts, Place.LINK) + mark(Mark.END, number)


def _direct(source: Opaque, url: str) -> str | None:
    """A slot that holds the address; None where an engine would take it for code now that it is no HTML any more."""
    try:
        if any(source.engine.spans(url, "")):
            return None
    except Invalid:
        return None
    return mark(Mark.TARGET, DIRECT) + _UNQUOTED.sub(_percent, url) + mark(Mark.END, DIRECT)


def _is_code(parts: Iterable[str | tuple[Mark, int]]) -> bool:
    return all(isinstance(part, str) or part[0] is Mark.CODE for part in parts)


def _source(source: Opaque, value: str) -> str | None:
    parts = list(split(value))
    if not _is_code(parts) or not (_WEB.match(value.strip()) or not isinstance(parts[0], str)):
        return None
    return _placed(source, parts, Place.SOURCE)


def _placed(source: Opaque, parts: list[str | tuple[Mark, int]], whole: Place) -> str:
    """VALUE code written as part of a URL, or as a whole one where nothing of the address stands before it."""
    out, before = [], ""
    for part in parts:
        if isinstance(part, str):
            out.append(_UNQUOTED.sub(_percent, part) if whole is Place.LINK else part)
            before += part
        elif source.codes[part[1]].role is Role.VALUE:
            out.append(source.placed(part[1], Place.URL if before.strip() else whole))
        else:
            out.append(mark(*part))
    return "".join(out)


_UNQUOTED = re.compile(r"[\"<>]")
_AUTHORITY = re.compile(r"https?://[^/?#\s]+$", re.IGNORECASE)


def open_authority(prefix: str) -> bool:
    """Whether a target's text before its first code ends within the host, so that a value could lengthen it."""
    return _AUTHORITY.match(without_marks(prefix)) is not None


def finish_target(target: str, prefix: str) -> str:
    """A rendered target as it may be used; '' when it is no address at all.

    `prefix` is the text before the first code when `open_authority` says so, else ''. A value behind a host
    begins a path: `https://shop.example{{ x }}` never becomes `https://shop.example.evil.example`.
    """
    target = target.strip()
    rest = target[len(prefix) :] if prefix and target.startswith(prefix) else ""
    if rest and rest[0] not in "/?#":
        target = f"{prefix}/{rest}"
    if target[:7].lower() in ("http://", "https:/") or target.lower().startswith(("mailto:", "tel:", "sms:")):
        return re.sub(r"[\x00-\x20\x7f\"<>]", _percent, target)
    return ""


def _percent(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"
