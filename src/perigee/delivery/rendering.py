"""From the frozen content of a send to the bytes of one message: the place where messages and channels meet."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from perigee.errors import Invalid, NotFound
from perigee.keys import Keys
from perigee.lib.ids import message_uuid
from perigee.messages.cards import Card, CompiledCard
from perigee.messages.compile import Compiled, compile_message
from perigee.messages.contents import ALL_CONTENTS, Email, Sms, read_content
from perigee.messages.email import CompiledEmail, Envelope
from perigee.messages.links import SignedLinks
from perigee.messages.person import Names, Person
from perigee.messages.sms import CompiledSms
from perigee.messages.version import CompileOptions, Footer, MessageVersion, parse_sender

CHANNELS = tuple(ALL_CONTENTS)
"""Channels that can be sent."""


class Content(msgspec.Struct, frozen=True):
    """What `send_content` holds: everything of the message and the organisation that a rendering needs, as it was at
    launch. `versions` are the language versions in the wire's names; `field_keys` translate `LIST.FIELD`.

    `track` None: links are tracked as the message and its channel have it.
    """

    default: str
    versions: dict[str, dict[str, Any]]
    name: str = ""
    engine: str = "liquid"
    categories: list[str] = []
    organisation: str = ""
    postal_address: str = ""
    field_keys: dict[str, str] = {}
    track: bool | None = None


class Link(msgspec.Struct, frozen=True):
    """A tracked link with a stored target; its number is unique within the send."""

    language: str
    number: int
    url: str


@dataclass(frozen=True, slots=True)
class Rendered:
    iid: str
    sender: str
    payload: bytes


class Renderer(Protocol):
    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        """Raises Invalid when the person's data do not fit the template."""
        ...

    def web_version(self, person: Person, ordinal: int) -> str:
        """Raises NotFound for a channel whose messages have no HTML."""
        ...


def compile_content(
    channel: str,
    content: Content,
    *,
    public_url: str,
    org_id: int,
    campaign_id: int | None,
    marketing: bool,
    tag_links: bool = False,
) -> dict[str, Compiled]:
    """All language versions. Raises Invalid that names the wire member.

    One after the other in a fixed order, so that link numbers come out the same in every process.
    """
    if channel not in CHANNELS:
        raise Invalid.of("channel", channel, "cannot be sent by this version, only " + " and ".join(CHANNELS))
    compiled: dict[str, Compiled] = {}
    first_link = 1
    for language in [content.default, *sorted(content.versions.keys() - {content.default})]:
        members = read_content(channel, content.versions[language])
        assert isinstance(members, Email | Sms | Card)
        options = CompileOptions(
            public_url=public_url,
            bulk=marketing,
            track_clicks=content.track,
            tag_links=tag_links and content.track is not False,
            first_link=first_link,
            names=Names(field_keys=content.field_keys, constants={"message_name": content.name}),
            footer=Footer(content.organisation, content.postal_address),
            list_id=_list_id(members, org_id),
            feedback_id=f"{campaign_id or 0}:{org_id}:{'bulk' if marketing else 'single'}:perigee",
        )
        one = compile_message(MessageVersion(members, language, content.engine), options)
        compiled[language] = one
        first_link = one.links.next_number
    return compiled


def _list_id(content: Email | Sms | Card, org_id: int) -> str | None:
    """One stream per organisation and sender domain (RFC 2919)."""
    if not isinstance(content, Email):
        return None
    return f"{org_id}.{parse_sender(content.from_)[1].rpartition('@')[2]}"


def stored_links(compiled: Mapping[str, Compiled]) -> list[Link]:
    return [
        Link(language, number, url)
        for language, one in compiled.items()
        for number, url in one.links.targets.items()
        if url is not None
    ]


def renderers(
    compiled: Mapping[str, Compiled],
    content: Content,
    *,
    keys: Keys,
    public_url: str,
    org_id: int,
    send_id: int,
    tags: str | None = None,
) -> dict[str, Renderer]:
    links = SignedLinks(keys.links, public_url, org_id, send_id, tags)
    made: dict[str, Renderer] = {}
    for language, one in compiled.items():
        if isinstance(one, CompiledEmail):
            sender = parse_sender(content.versions[language]["from"])[1]
            made[language] = EmailRenderer(one, links, keys, sender)
        elif isinstance(one, CompiledCard):
            made[language] = CardRenderer(one, links, keys)
        else:
            made[language] = SmsRenderer(one, links, keys)
    return made


class EmailRenderer:
    def __init__(self, compiled: CompiledEmail, links: SignedLinks, keys: Keys, sender: str) -> None:
        self._compiled = compiled
        self._links = links
        self._key = keys.message_ids
        self._sender = sender
        self._domain = sender.rpartition("@")[2]

    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        links = self._links
        iid = str(message_uuid(self._key, links.org_id, links.send_id, ordinal))
        envelope = Envelope(address, f"{iid}@{self._domain}", int(time.time()))
        mail = self._compiled.render(person, links.of(ordinal, person.contact_id), envelope)
        return Rendered(iid, self._sender, mail.raw)

    def web_version(self, person: Person, ordinal: int) -> str:
        return self._compiled.html(person, self._links.of(ordinal, person.contact_id), int(time.time()))


class SmsRenderer:
    def __init__(self, compiled: CompiledSms, links: SignedLinks, keys: Keys) -> None:
        self._compiled = compiled
        self._links = links
        self._key = keys.message_ids

    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        links = self._links
        iid = str(message_uuid(self._key, links.org_id, links.send_id, ordinal))
        text = self._compiled.render(person, links.of(ordinal, person.contact_id), int(time.time()))
        return Rendered(iid, text.sender, text.text.encode())

    def web_version(self, person: Person, ordinal: int) -> str:
        raise NotFound("this message has no web version")


class CardRenderer:
    """The payload is the message's members in their wire names, as JSON (`messages.cards`)."""

    def __init__(self, compiled: CompiledCard, links: SignedLinks, keys: Keys) -> None:
        self._compiled = compiled
        self._links = links
        self._key = keys.message_ids

    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        links = self._links
        iid = str(message_uuid(self._key, links.org_id, links.send_id, ordinal))
        card = self._compiled.render(person, links.of(ordinal, person.contact_id), int(time.time()))
        return Rendered(iid, str(card.pop("from", "")), msgspec.json.encode(card))

    def web_version(self, person: Person, ordinal: int) -> str:
        raise NotFound("this message has no web version")
