"""Preview: what a person would get, and what to look at before sending."""

from __future__ import annotations

from dataclasses import replace

from perigee.messages.contents import Sms
from perigee.messages.person import Person
from perigee.messages.preview import Preview, preview
from perigee.messages.version import CompileOptions, Footer, MessageVersion

from .factories import ANNA, NOW, OPTIONS, email


def shown(version: MessageVersion, person: Person = ANNA, options: CompileOptions = OPTIONS) -> Preview:
    return preview(version, options, person, now=NOW)


def codes(found: Preview) -> list[str]:
    return [warning.code for warning in found.warnings]


def test_a_preview_shows_everything_as_it_would_arrive() -> None:
    found = shown(
        email(
            '<a href="https://a.example/?x=1&amp;y=2">%FIRSTNAME|x%</a><a href="https://esputnik.com/unsubscribe">u</a>',
            subject="Вітаю, %FIRSTNAME|друже%",
        )
    )
    assert found.subject == "Вітаю, Anna"
    assert found.sender == "Example Shop <news@example.com>"
    assert found.html == '<a href="https://a.example/?x=1&amp;y=2">Anna</a><a href="#unsubscribe">u</a>'
    assert found.text == "Anna (https://a.example/?x=1&y=2)u (#unsubscribe)\n"
    assert found.size > 500
    assert found.warnings == []


def test_values_without_a_fallback_are_named_once() -> None:
    found = shown(
        email(
            "%POSTCODE% {{ nothing }} {{ nothing }} %COUNTY|% {{ street | default: '' }} {{ first_name }}"
            "{% if true %}{{ data.a.b }}%TOWN%{% assign z = 1 %}{{ z }}{{ data.c | upcase }}{% endif %}"
            '<a href="https://a.example/?{{ q }}{% if true %}{{ r }}{% endif %}">{{ unsubscribe_url }}</a>',
            subject="%POSTCODE%",
        ),
        replace(ANNA, town=None),
    )
    assert sorted(w.message.split()[0] for w in found.warnings if w.code == "missing_value") == [
        "%POSTCODE%",
        "%TOWN%",
        "data.a.b",
        "data.c",
        "nothing",
        "q",
        "r",
    ]
    assert codes(found).count("empty_subject") == 1


def test_size_and_ways_out_are_warned_about() -> None:
    assert codes(shown(email("<p>x</p>"))) == ["no_unsubscribe_link"]
    assert codes(shown(email("<p>x</p>"), options=replace(OPTIONS, footer=Footer()))) == [
        "no_unsubscribe_link",
        "no_postal_address",
    ]
    assert codes(shown(email("{{ unsubscribe_url }}" + "x" * 100_000))) == ["large_html"]


def test_sms_parts_are_warned_about() -> None:
    def sms(text: str) -> Preview:
        return shown(MessageVersion(Sms(from_="EXAMPLE", text=text, track_urls=True)))

    found = sms("Привіт, %FIRSTNAME% " + "я" * 80)
    assert found.sms is not None
    assert found.sms.parts == 2
    assert codes(found) == ["sms_parts"]
    assert codes(sms("%POSTCODE%")) == ["missing_value", "empty_text"]
    assert sms("https://a.example/").text == "https://a.example/"
    length = len("https://links.example.com/s/") + 17
    for target in ("https://a.example/", "https://a.example/" + "x" * 150):
        size = sms(target).sms
        assert size is not None
        assert (size.units, size.parts) == (length, 1), "counted as it is sent"
