"""Our own links in a message: by name, as a merge tag, by their well-known addresses; and the one nobody sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perigee.messages.tests.factories import ANNA, NOW, OPTIONS, ReadableLinks, compiled, envelope, shown

LINKS = {"unsubscribe": "u", "view": "v", "preferences": "p", "confirm": "confirm"}


@pytest.mark.parametrize(("name", "path"), LINKS.items())
def test_our_links_have_names_and_merge_tags(name: str, path: str) -> None:
    for code in (f"{{{{ {name}_url }}}}", f"%{name.upper()}_URL%"):
        assert shown(f'<p><a href="{code}">x</a> {code}</p>').count(f"https://l.test/{path}") == 2


def test_they_are_there_in_code_too() -> None:
    html = '{% if true %}<a href="{{ preferences_url }}">x</a>{% endif %}'
    assert 'href="https://l.test/p"' in shown(html)


@pytest.mark.parametrize("host", ["https://esputnik.com", "https://links.example.com"])
def test_the_well_known_addresses_are_placeholders(host: str) -> None:
    html = f'<a href="{host}/preferences">x</a><a href="{host}/confirmSubscription">y</a>'
    assert shown(html) == '<a href="https://l.test/p">x</a><a href="https://l.test/confirm">y</a>'


def test_the_trap_is_seen_by_nobody_and_stands_in_html_alone() -> None:
    html = '<html><body><p>Hi <a href="https://shop.example/a">a</a></p></body></html>'
    mail = compiled(html, replace(OPTIONS, trap=True))
    page = mail.html(ANNA, ReadableLinks(), NOW)
    assert '<div style="display:none;mso-hide:all" aria-hidden="true"><a href="https://l.test/c/0"' in page
    assert 'tabindex="-1"' in page
    assert mail.render(ANNA, ReadableLinks(), envelope()).raw.count(b"/c/0") == 1
    assert set(mail.links.targets) == {1}
    assert "/c/0" not in compiled(html).html(ANNA, ReadableLinks(), NOW)
