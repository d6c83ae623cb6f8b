"""Several short texts in one message: push, inbox, Viber, Telegram."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perigee.errors import Invalid
from perigee.messages.person import Person
from perigee.messages.texts import compile_texts

from .factories import ANNA, NOW, OPTIONS, ReadableLinks

TEXTS = {
    "title": "Hi, %FIRSTNAME|friend% & co",
    "text": "See https://a.example/ {% if town %}in {{ town }}{% endif %}",
    "link": "{{ items[0].url }}",
    "action": "https://a.example/",
}


def test_texts_are_rendered_and_links_shared() -> None:
    compiled = compile_texts(TEXTS, OPTIONS, addresses={"link", "action"})
    out = compiled.render(ANNA, ReadableLinks(), NOW)
    assert out["title"] == "Hi, Anna & co"
    assert out["text"] == "See https://l.test/c/1 in Kyiv"
    assert out["link"] == "https://l.test/c/2/" + b"https://shop.example/mug?a=1&b=2".hex()
    assert out["action"] == "https://l.test/c/1"
    assert compiled.links.targets == {1: "https://a.example/", 2: None}


def test_addresses_from_data_are_addresses_or_nothing() -> None:
    compiled = compile_texts(TEXTS, replace(OPTIONS, track_clicks=False), addresses={"link"})
    assert compiled.render(ANNA, ReadableLinks(), NOW)["link"] == "https://shop.example/mug?a=1&b=2"
    bad = Person(data={"items": [{"url": "javascript:x"}]})
    assert compiled.render(bad, ReadableLinks(), NOW)["link"] == ""


def test_mistakes_name_the_text() -> None:
    with pytest.raises(Invalid, match="title: line 1"):
        compile_texts({"title": "{{ x"}, OPTIONS)
