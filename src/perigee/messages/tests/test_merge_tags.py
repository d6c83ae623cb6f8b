"""Merge tags: TRACKING 8.1."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perigee.messages.person import Person

from .factories import ANNA, QUIET, ReadableLinks, compiled, envelope, shown


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("%FIRSTNAME|friend%", "Anna"),
        ("%FIRSTNAME|%", "Anna"),
        ("%FIRSTNAME%", "Anna"),
        (
            "%EMAIL% %SMS|% %EXTERNAL_CUSTOMER_ID% %TOWN|-% %CONTACT_ID%",
            "anna@example.com 380501112233 CRM-1 Kyiv 100001",
        ),
        ("%PERSONAL.BONUS|0%", "15"),
        ("%PERSONAL.MISSING|0%", "0"),
        ("%POSTCODE%|%POSTCODE|%|%POSTCODE|none%", "||none"),
        ("%MESSAGENAME%", "Welcome"),
        ("%TEMPLATE.discount%", "5%"),
        ("%FIRSTNAME%LASTNAME%", "AnnaLASTNAME%"),
        ("%FIRSTNAME|a%%LASTNAME|b%", "AnnaKoval"),
        ("%POSTCODE|Tom &amp; <b>J%", "%POSTCODE|Tom &amp; <b>J%"),
        ("%POSTCODE|Tom &amp; J%", "Tom &amp; J"),
        # text that only looks a little like one
        ("width:100%;height:50%", "width:100%;height:50%"),
        ("https://x.example/%D0%9F%D1%80%E2.html%20", "https://x.example/%D0%9F%D1%80%E2.html%20"),
        ("%UNKNOWN% %firstname% %FIRST NAME% 5%", "%UNKNOWN% %firstname% %FIRST NAME% 5%"),
        ("%UNKNOWN|x%", "x"),
        # inside the template language
        ("{% if vip %}%FIRSTNAME%{% else %}%LASTNAME|x%, %POSTCODE|y &lt;%{% endif %}", "Koval, y &lt;"),
        ("{% capture g %}Hi %FIRSTNAME|friend%{% endcapture %}{{ g | upcase }}", "HI ANNA"),
        ("{% for i in (1..2) %}%FIRSTNAME%{% endfor %}", "AnnaAnna"),
        ("a<!--%PERSONAL.CITY%--><!-- %TOWN|% -->b", "ab"),
    ],
)
def test_merge_tags_of_html(template: str, expected: str) -> None:
    assert shown(template) == expected


@pytest.mark.parametrize(
    "hostile", ["%EMAIL%", "{{ email }}", "<b>%FIRSTNAME%</b>", "{% raw %}", "\ufdd0c1\ufdd1"]
)
def test_values_are_text_whatever_they_look_like(hostile: str) -> None:
    escaped = hostile.replace("<", "&lt;").replace(">", "&gt;")
    person = Person(first_name=hostile)
    for template in (
        "%FIRSTNAME%",
        "{% if true %}%FIRSTNAME%{% endif %}",
        "{{ first_name }}",
        "{{ first_name | strip }}",
    ):
        assert shown(template, person) == escaped


def test_fallbacks_are_html_in_html_and_text_in_text() -> None:
    message = compiled("<p>%POSTCODE|Tom &amp; J%</p>", QUIET).render(ANNA, ReadableLinks(), envelope())
    assert b"<p>=\r\nTom &amp; J=\r\n</p>" in message.raw
    assert b"\r\n\r\nTom & J=\r\n" in message.raw


def test_without_personalisation_everything_is_text_but_links_work() -> None:
    literal = replace(QUIET, personalise=False)
    template = '%FIRSTNAME% {{ x }} {% if %} <a href="https://esputnik.com/unsubscribe">u</a><a href="https://a.example/">a</a>'
    assert shown(template, options=literal) == (
        '%FIRSTNAME% {{ x }} {% if %} <a href="https://l.test/u">u</a><a href="https://l.test/c/1">a</a>'
    )
