"""From the frozen content of a send to the bytes of one message: the place where messages and channels meet."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from perigee.bounces import verp
from perigee.domains.outfit import Outfit, Wardrobe, domain_of
from perigee.errors import Invalid, NotFound
from perigee.keys import Keys
from perigee.lib import mime
from perigee.lib.ids import message_uuid
from perigee.messages.cards import CompiledCard
from perigee.messages.compile import Compiled, compile_message
from perigee.messages.contents import ALL_CONTENTS, AnyContent, Email, read_content
from perigee.messages.email import CompiledEmail, Envelope
from perigee.messages.links import SignedLinks
from perigee.messages.person import Names, Person
from perigee.messages.sms import CompiledSms
from perigee.messages.version import CompileOptions, Footer, MessageVersion, parse_sender
from perigee.messages.webhook import CompiledWebhook

CHANNELS = tuple(ALL_CONTENTS)
"""Channels that can be sent."""


BARE = Wardrobe({}, {}, Outfit())
"""Of an organisation without sender domains, on an installation without a bounce domain."""


class Content(msgspec.Struct, frozen=True):
    """What `send_content` holds: everything of the message and the organisation that a rendering needs, as it was at
    launch. `versions` are the language versions in the wire's names; `field_keys` translate `LIST.FIELD`.

    `track` None: links are tracked as the message and its channel have it. `trap`: as in `CompileOptions`, for marketing.
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
    trap: bool = False


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
        assert isinstance(members, AnyContent)
        options = CompileOptions(
            public_url=public_url,
            bulk=marketing,
            track_clicks=content.track,
            tag_links=tag_links and content.track is not False,
            trap=marketing and content.trap,
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


def _list_id(content: AnyContent, org_id: int) -> str | None:
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
    wardrobe: Wardrobe = BARE,
    service: str = "",
    short_url: str | None = None,
) -> dict[str, Renderer]:
    """`wardrobe`: how the organisation's email leaves; `service`: of the SMTP provider (`SERVICE_HEADERS`).

    `short_url`: of channels with short links, the address they begin with; '' for that of other links.
    """

    def links_of(sender: str) -> SignedLinks:
        base = wardrobe.link_base(sender) or public_url
        return SignedLinks(keys.links, base, org_id, send_id, tags)

    links = links_of("")
    if short_url is not None:
        links = SignedLinks(keys.links, short_url or links.public_url, org_id, send_id, tags, short=True)
    made: dict[str, Renderer] = {}
    for language, one in compiled.items():
        if isinstance(one, CompiledEmail):
            sender = parse_sender(content.versions[language]["from"])[1]
            made[language] = EmailRenderer(
                one, links_of(sender), keys, sender, wardrobe.outfit(sender), service
            )
        elif isinstance(one, CompiledCard):
            made[language] = CardRenderer(one, links, keys)
        elif isinstance(one, CompiledWebhook):
            made[language] = WebhookRenderer(one, links, keys)
        else:
            made[language] = SmsRenderer(one, links, keys)
    return made


SERVICE_HEADERS: Mapping[str, Callable[[str], str]] = {
    "ses": lambda token: mime.structured("X-SES-MESSAGE-TAGS", f"perigee={token}"),
    "sendgrid": lambda token: mime.structured("X-SMTPAPI", f'{{"unique_args": {{"perigee": "{token}"}}}}'),
    "mailgun": lambda token: mime.structured("X-Mailgun-Variables", f'{{"perigee": "{token}"}}'),
    "postmark": lambda token: mime.structured("X-PM-Metadata-perigee", token),
}
"""The header whose content a service's webhooks report, with the token of the message (`bounces.verp`)."""


class EmailRenderer:
    """`outfit`: of the sender's domain. The bytes are signed last, as they go over the wire (reliability 16)."""

    def __init__(
        self,
        compiled: CompiledEmail,
        links: SignedLinks,
        keys: Keys,
        sender: str,
        outfit: Outfit,
        service: str = "",
    ) -> None:
        self._compiled = compiled
        self._links = links
        self._keys = keys
        self._sender = sender
        self._domain = domain_of(sender)
        self._outfit = outfit
        self._service = SERVICE_HEADERS.get(service)

    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        links, keys, outfit = self._links, self._keys, self._outfit
        named = (links.org_id, links.send_id, ordinal, person.contact_id)
        token = verp.token(keys.bounces, *named)
        now = int(time.time())
        envelope = Envelope(address, f"{token}@{self._domain}", now)
        sender = self._sender
        if outfit.bounce_domain:
            sender = f"{verp.BOUNCE}{token}@{outfit.bounce_domain}"
            unsubscribing = verp.token(keys.unsubscribe_mail, *named)
            envelope.unsubscribe_mailbox = f"{verp.UNSUBSCRIBE}{unsubscribing}@{outfit.bounce_domain}"
            feedback = f"{verp.FEEDBACK}{token}@{outfit.bounce_domain}; report=arf"
            envelope.extra = mime.structured("CFBL-Address", feedback)
        if self._service is not None:
            envelope.extra += self._service(token)
        raw = self._compiled.render(person, links.of(ordinal, person.contact_id), envelope).raw
        if outfit.signer is not None:
            raw = outfit.signer.sign(raw, now)
        iid = str(message_uuid(keys.message_ids, links.org_id, links.send_id, ordinal))
        return Rendered(iid, sender, raw)

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


class WebhookRenderer:
    """The payload is the JSON document."""

    def __init__(self, compiled: CompiledWebhook, links: SignedLinks, keys: Keys) -> None:
        self._compiled = compiled
        self._links = links
        self._key = keys.message_ids

    def render(self, person: Person, address: str, ordinal: int) -> Rendered:
        links = self._links
        iid = str(message_uuid(self._key, links.org_id, links.send_id, ordinal))
        body = self._compiled.render(person, links.of(ordinal, person.contact_id), int(time.time()))
        return Rendered(iid, "", body)

    def web_version(self, person: Person, ordinal: int) -> str:
        raise NotFound("this message has no web version")
