"""What a template language has to offer, so that compiling knows none of them.

An engine says where the code in a source is and turns the source into top-level pieces: static text, values that
are looked up directly, and blocks that only the engine can evaluate. Everything around it (links, merge tags,
transfer encoding) works on text in which code is opaque. Liquid is `messages.liquid`; Velocity can stand beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from html import escape, unescape
from typing import Protocol
from urllib.parse import quote

from perigee.messages.person import Get, Names, Person, text_of


class Place(Enum):
    """Where a value stands, which decides how it is written."""

    TEXT = "text"  # plain text, subject, SMS
    HTML = "html"  # text or attribute of HTML
    URL = "url"  # inside a URL: percent-encoded, so it can be no more than a value
    LINK = "link"  # a URL as a whole, of a link (http, https, mailto, tel, sms)
    JSON = "json"  # inside a string of a JSON document
    SOURCE = "source"  # a URL as a whole, of an image: http and https only, in an HTML attribute


_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_LINK_SCHEMES = ("http://", "https://", "mailto:", "tel:", "sms:")


def whole_url(text: str, schemes: tuple[str, ...] = _LINK_SCHEMES) -> str:
    """A URL that comes from data: normal form, or '' when it is none of the schemes we let through."""
    text = text.strip()
    if text.startswith("//"):
        text = "https:" + text
    elif text[:4].lower() == "www.":
        text = "https://" + text
    return quote(text, safe=_URL_CHARACTERS, errors="replace") if text.lower().startswith(schemes) else ""


def write(text: str, place: Place) -> str:
    """A value as its place needs it."""
    match place:
        case Place.HTML:
            return escape(text)
        case Place.URL:
            return quote(text, safe="", errors="replace")
        case Place.LINK:
            return whole_url(text)
        case Place.JSON:
            return json.dumps(text, ensure_ascii=False)[1:-1]
        case Place.SOURCE:
            return escape(whole_url(text, ("http://", "https://")))
        case _:
            return text


@dataclass(frozen=True, slots=True)
class Value:
    """A value that needs no engine: look up, fall back, write.

    `fallback` is used for a missing, empty or false value, as the author wrote it: HTML in HTML, text elsewhere; in a
    URL and in JSON it is written like a value. `raw` values are written as they are.
    """

    name: str
    get: Get
    fallback: str | None
    place: Place
    raw: bool = False

    def render(self, person: Person) -> str:
        value = self.get(person)
        text = "" if value is False and self.fallback is not None else text_of(value)
        if text:
            return text if self.raw else write(text, self.place)
        return self.written_fallback()

    def written_fallback(self) -> str:
        if self.fallback is None or self.raw or self.place in (Place.TEXT, Place.HTML):
            return self.fallback or ""
        return write(self.fallback, self.place)


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge tag `%NAME|fallback%` found in a source, numbered in order. `html`: its fallback is HTML."""

    name: str
    get: Get
    fallback: str | None
    html: bool

    def written(self) -> str:
        """The tag as it stood in the source."""
        return f"%{self.name}%" if self.fallback is None else f"%{self.name}|{self.fallback}%"

    def fallback_in(self, *, html: bool) -> str | None:
        """The fallback, which is in the language of its source, as HTML or as text."""
        if self.fallback is None or self.html == html:
            return self.fallback
        return unescape(self.fallback) if self.html else escape(self.fallback)


class State(Protocol):
    """What the blocks of one source share while one person is rendered: variables and the budget."""

    missing: list[str]


class Block(Protocol):
    """A piece that only its engine can evaluate. `blank`: it gives no text to anybody (an assignment)."""

    blank: bool

    def render(self, state: State) -> str:
        """Raises Invalid that names field, line and reason: a budget ran out, or the data do not fit."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """What a state is made of, apart from the person. `urls`: those of `opaque.URL_NAMES`, made on demand."""

    now: datetime
    urls: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed source. `start` makes the state its blocks need; None when it has no blocks."""

    pieces: list[str | Value | Block]
    start: Callable[[Person, Moment], State] | None


class Role(Enum):
    """What code does where it stands."""

    VALUE = "value"  # prints one value, and can be `placed`
    PRINTS = "prints"  # prints something else
    STEERS = "steers"  # prints nothing itself: if, for, assign


@dataclass(frozen=True, slots=True)
class Span:
    """Code in a source."""

    start: int
    end: int
    role: Role


@dataclass(frozen=True, slots=True)
class Source:
    """What there is to parse. `field` is the wire name, for errors."""

    text: str
    field: str
    html: bool
    merges: Sequence[Merge] = ()


class Engine(Protocol):
    """`seal` is written behind each piece of code before it is parsed, where its surroundings may have changed, so
    that no text behind it becomes part of it."""

    name: str
    seal: str

    def spans(self, text: str, field: str) -> list[Span]:
        """Where the code is, in order. Linear in the text. Raises Invalid for code that does not end."""
        ...

    def merge(self, number: int) -> str:
        """VALUE code that prints merge tag `number`."""
        ...

    def placed(self, code: str, place: Place) -> str:
        """The same VALUE code, its value written for `place`."""
        ...

    def bare_name(self, code: str) -> str | None:
        """The one name that VALUE code looks up, without path and filters; None when it is more than that."""
        ...

    def parse(self, source: Source, names: Names) -> Template:
        """Raises Invalid that names field, line and reason."""
        ...


class Literal:
    """No language at all: every character is text (`skipPersonalisation`)."""

    name = "literal"
    seal = ""

    def spans(self, text: str, field: str) -> list[Span]:
        return []

    def merge(self, number: int) -> str:
        raise AssertionError("literal text has no merge tags")

    def placed(self, code: str, place: Place) -> str:
        return code

    def bare_name(self, code: str) -> str | None:
        return None

    def parse(self, source: Source, names: Names) -> Template:
        return Template([source.text], None)
