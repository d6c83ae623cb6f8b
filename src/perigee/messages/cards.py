"""Messages that are a few members and no document: Viber, push, App Inbox, Telegram.

A member keeps its wire name. Every text in it is a template, those inside lists, buttons and the JSON of `customData`
too, so the JSON stays JSON whatever a value holds. What comes out empty is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from perigee.messages.contents import AppInbox, MobilePush, Telegram, Viber, WebPush
from perigee.messages.links import LinkMaker
from perigee.messages.person import Person
from perigee.messages.rendering import Script
from perigee.messages.slots import LinkTable
from perigee.messages.texts import CompiledTexts, compile_texts
from perigee.messages.version import CompileOptions, MessageVersion

Card = Viber | MobilePush | WebPush | AppInbox | Telegram

_LINKS = frozenset({"link", "action"})
_IMAGES = frozenset({"img", "imageSource", "images", "iosIconPath", "iconSource"})
_LINKED_TEXTS = frozenset({"text", "smsContent"})
_CODES = frozenset({"actionId", "urgency"})
RAW = "linkRaw"
"""Beside each tracked `link` of a push: the same address as it is (contract 22.6, `es_link_raw`)."""


@dataclass(slots=True)
class _Found:
    """Templates by path, and which of them are not plain text."""

    texts: dict[str, str] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where the text of a path stands."""

    path: str


class CompiledCard:
    """`links`: the table to store for the send. `scripts`: by path, `buttons.0.label`."""

    def __init__(self, version: MessageVersion, shape: dict[str, Any], texts: CompiledTexts) -> None:
        self.language = version.language
        self._shape = shape
        self._texts = texts

    @property
    def links(self) -> LinkTable:
        return self._texts.links

    @property
    def scripts(self) -> Mapping[str, Script]:
        return self._texts.scripts

    def render(self, person: Person, links: LinkMaker, sent_at: int) -> dict[str, Any]:
        """The members for one person, as JSON values. Raises Invalid when the data do not fit."""
        texts = self._texts.render(person, links, sent_at)
        card = {name: _filled(value, texts) for name, value in self._shape.items()}
        if "customData" in card:
            card["customData"] = msgspec.json.encode(card["customData"]).decode()
        return {name: value for name, value in card.items() if value not in ("", [], None)}


def compile_card(version: MessageVersion, options: CompileOptions) -> CompiledCard:
    """Raises Invalid that names the wire field. Links are tracked unless the options say no."""
    content = version.content
    assert isinstance(content, Card)
    members: dict[str, Any] = msgspec.to_builtins(content)
    if "customData" in members:
        members["customData"] = msgspec.json.decode(members["customData"])
    found = _Found()
    shape = {
        name: _shaped(value, name, name, found, plain=isinstance(content, MobilePush | WebPush))
        for name, value in members.items()
    }
    if isinstance(content, MobilePush | WebPush) and content.link:
        found.texts[RAW] = content.link
        found.images.add(RAW)  # an address that is not tracked
        shape[RAW] = _Slot(RAW)
    texts = compile_texts(
        found.texts,
        options,
        engine=version.engine,
        addresses=found.addresses,
        images=found.images,
        lines=found.lines,
    )
    return CompiledCard(version, shape, texts)


def _shaped(value: Any, name: str, path: str, found: _Found, *, plain: bool) -> Any:
    """The value with its texts as slots. `plain`: links in its texts cannot be pressed, so they are not tracked."""
    if isinstance(value, dict):
        return {
            key: _shaped(member, key if name != "customData" else name, f"{path}.{key}", found, plain=plain)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [
            _shaped(member, name, f"{path}.{number}", found, plain=plain)
            for number, member in enumerate(value)
        ]
    if not isinstance(value, str) or name in _CODES:
        return value
    found.texts[path] = value
    if name in _LINKS:
        found.addresses.add(path)
    elif name in _IMAGES:
        found.images.add(path)
    elif plain or name not in _LINKED_TEXTS:
        found.lines.add(path)
    return _Slot(path)


def _filled(shape: Any, texts: Mapping[str, str]) -> Any:
    if isinstance(shape, _Slot):
        return texts[shape.path]
    if isinstance(shape, dict):
        return {key: _filled(value, texts) for key, value in shape.items()}
    if isinstance(shape, list):
        return [_filled(value, texts) for value in shape]
    return shape
