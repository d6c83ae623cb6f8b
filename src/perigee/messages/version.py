"""What is compiled: one language version of one message, and the settings of the send it is compiled for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from perigee.errors import Invalid
from perigee.messages.contents import AnyContent
from perigee.messages.engine import Engine, Literal
from perigee.messages.liquid import Liquid
from perigee.messages.person import Names
from perigee.messages.velocity.engine import Velocity

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (Liquid(), Velocity(), Literal())}
"""By the name that `message.engine` holds; `literal` is for messages without personalisation."""


@dataclass(frozen=True, slots=True)
class MessageVersion:
    content: AnyContent
    language: str = "en"
    engine: str = "liquid"


@dataclass(frozen=True, slots=True)
class Footer:
    """The standard block of a bulk email that has no unsubscribe link of its own.

    `address`: the organisation's postal address, `organisation` its name; both plain text. `unsubscribe`: the
    words of the link; None: in the version's language, English where we have no words for it.
    """

    organisation: str = ""
    address: str = ""
    unsubscribe: str | None = None

    def words(self, language: str) -> str:
        return self.unsubscribe or UNSUBSCRIBE_WORDS.get(
            language.split("-")[0].lower(), UNSUBSCRIBE_WORDS["en"]
        )


UNSUBSCRIBE_WORDS = {
    "cs": "Odhlásit odběr",
    "de": "Abmelden",
    "en": "Unsubscribe",
    "es": "Darse de baja",
    "fr": "Se désabonner",
    "it": "Annulla l'iscrizione",
    "pl": "Wypisz się",
    "pt": "Cancelar inscrição",
    "ro": "Dezabonare",
    "ru": "Отписаться",
    "tr": "Abonelikten çık",
    "uk": "Відписатися",
}


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """What holds for every recipient of a send.

    `public_url`: ours, without a slash at its end; `/unsubscribe` and `/viewInBrowser` below it are placeholders.
    `bulk`: marketing: gets the footer, `Precedence`, `List-Unsubscribe` and `List-Unsubscribe-Post`.
    `track_clicks` None: as the message says (email yes, SMS `trackUrls`). `tag_links`: links that are not tracked are
    written by the link maker too, which knows the UTM tags; tracked ones get theirs when they are clicked.
    `trap`: the HTML of an email gets a link that nobody sees, by which programs that follow every link are known.
    `personalise` False: no template language and no merge tags (`skipPersonalisation`); links are slots all the same.
    `first_link`: the number of the first link. Compile the languages of one send one after another, each from
    `compiled.links.next_number`, and a number names one link of the send.
    `list_id` (`news.example.com` or `Name <news.example.com>`), `feedback_id` (`campaign:tenant:type:sender`) and
    `headers` (further ones) are machine-readable ASCII.
    """

    public_url: str
    bulk: bool = True
    track_clicks: bool | None = None
    tag_links: bool = False
    track_opens: bool = True
    trap: bool = False
    personalise: bool = True
    names: Names = field(default_factory=Names)
    first_link: int = 1
    footer: Footer = field(default_factory=Footer)
    list_id: str | None = None
    feedback_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def engine_of(name: str, options: CompileOptions) -> Engine:
    """Raises Invalid for a template language that is not installed."""
    if name not in ENGINES:
        raise Invalid.of("engine", name, "is not a template language of this installation")
    return ENGINES[name] if options.personalise else ENGINES["literal"]


_SENDER = re.compile(r"\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^<>\"]*?))\s*<\s*([^<>\s]+)\s*>\s*")


def parse_sender(text: str, field_name: str = "from") -> tuple[str, str]:
    """Display name and address of `"Name" <address>` (contract 18.1). Raises Invalid; a bare address is refused."""
    match = _SENDER.fullmatch(text)
    if match is None:
        raise Invalid.of(field_name, text, 'must have the form "Name" <address>')
    quoted, plain, address = match.groups()
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain, address
