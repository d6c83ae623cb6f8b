"""SMS: text, sender, links and size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perigee.messages.compile import compile_message
from perigee.messages.contents import Sms
from perigee.messages.sms import CompiledSms, RenderedSms
from perigee.messages.version import MessageVersion

from .factories import ANNA, NOW, OPTIONS, ReadableLinks


def compiled(text: str, *, track_urls: bool = False, track: bool | None = None) -> CompiledSms:
    version = MessageVersion(Sms(from_="EXAMPLE", text=text, track_urls=track_urls))
    message = compile_message(version, replace(OPTIONS, track_clicks=track))
    assert isinstance(message, CompiledSms)
    return message


def render(text: str, **tracking: bool) -> RenderedSms:
    return compiled(text, **tracking).render(ANNA, ReadableLinks(), NOW)


def test_text_is_rendered_without_escaping_or_footer() -> None:
    sms = render("%FIRSTNAME|friend% & {{ discount }} {% if town == 'Kyiv' %}<in Kyiv>{% endif %}")
    assert sms.text == "Anna & 5% <in Kyiv>"
    assert sms.sender == "EXAMPLE"


@pytest.mark.parametrize(
    ("text", "coding", "parts"),
    [("a" * 160, "gsm7", 1), ("a" * 161, "gsm7", 2), ("я" * 70, "ucs2", 1), ("я" * 71, "ucs2", 2)],
)
def test_the_size_is_that_of_the_person_s_text(text: str, coding: str, parts: int) -> None:
    size = render(text).size
    assert (size.coding, size.parts) == (coding, parts)


def test_links_are_tracked_only_when_asked() -> None:
    text = "Go https://a.example/x?y=1, or https://a.example/{{ town }}!"
    assert render(text).text == "Go https://a.example/x?y=1, or https://a.example/Kyiv!"
    tracked = compiled(text, track_urls=True)
    assert tracked.links.targets == {1: "https://a.example/x?y=1", 2: None}
    hexed = b"https://a.example/Kyiv".hex()
    assert (
        tracked.render(ANNA, ReadableLinks(), NOW).text
        == f"Go https://l.test/c/1, or https://l.test/c/2/{hexed}!"
    )
    assert render(text, track_urls=True, track=False).text == render(text).text
