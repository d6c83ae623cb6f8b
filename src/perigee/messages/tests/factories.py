"""People, links and options of the rendering tests."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from perigee.messages.contents import Email
from perigee.messages.email import CompiledEmail, Envelope, compile_email
from perigee.messages.person import Names, Person
from perigee.messages.version import CompileOptions, Footer, MessageVersion

ANNA = Person(
    contact_id=100001,
    external_id="CRM-1",
    email="anna@example.com",
    phone="380501112233",
    first_name="Anna",
    last_name="Koval",
    language="en",
    town="Kyiv",
    fields={"7201": 15},
    data={"discount": "5%", "items": [{"name": "Mug", "url": "https://shop.example/mug?a=1&b=2"}]},
)
NOW = 1_764_000_000
OPTIONS = CompileOptions(
    "https://links.example.com",
    names=Names({"PERSONAL.BONUS": "7201"}, {"message_name": "Welcome"}),
    footer=Footer("Example Shop", "1 Main St,\nKyiv"),
)
FROM = '"Example Shop" <news@example.com>'


class ReadableLinks:
    """Links that say what they are."""

    def click(self, link_no: int, target: str | None) -> str:
        return f"https://l.test/c/{link_no}" + ("" if target is None else f"/{target.encode().hex()}")

    def direct(self, target: str) -> str:
        return f"{target}?a=1&utm=2"

    def open_pixel(self) -> str:
        return "https://l.test/o"

    def unsubscribe(self) -> str:
        return "https://l.test/u"

    def one_click(self) -> str:
        return "https://l.test/one"

    def view(self) -> str:
        return "https://l.test/v"

    def preferences(self) -> str:
        return "https://l.test/p"

    def confirm(self) -> str:
        return "https://l.test/confirm"


def envelope(**members: Any) -> Envelope:
    return replace(Envelope("anna@example.com", "7.1.ab@example.com", NOW), **members)


def email(html: str = "<p>Hi</p>", **members: Any) -> MessageVersion:
    return MessageVersion(Email(**{"from_": FROM, "subject": "News", "html_text": html, **members}))


def compiled(html: str = "<p>Hi</p>", options: CompileOptions = OPTIONS, **members: Any) -> CompiledEmail:
    return compile_email(email(html, **members), options)


QUIET = replace(OPTIONS, bulk=False, track_opens=False)
"""No footer and no pixel: the HTML as its author wrote it, links apart."""


def shown(html: str, person: Person = ANNA, options: CompileOptions = QUIET) -> str:
    """The HTML of one person."""
    return compiled(html, options).html(person, ReadableLinks(), NOW)
