"""Links as slots: which are tracked, what becomes of values in them, and what data can do to a target (nothing)."""

from __future__ import annotations

import quopri
from dataclasses import replace

import pytest

from perigee.errors import Invalid
from perigee.messages.person import Person

from .factories import ANNA, OPTIONS, QUIET, ReadableLinks, compiled, envelope, shown


def target(link: str) -> str:
    """The target that a rendered link carries."""
    return bytes.fromhex(link.split("/")[-1].rstrip('">')).decode()


def rendered_target(href: str, person: Person = ANNA) -> str:
    html = shown(f'<a href="{href}">x</a>', person)
    assert html.startswith('<a href="https://l.test/c/1/'), html
    return target(html.split('"')[1])


def test_links_are_numbered_in_document_order() -> None:
    html = """<a href="https://a.example/?x=1&amp;y=2">1</a>
<AREA HREF='http://b.example'><a title="t" href=https://c.example/ class=x>3</a>
<!--[if mso]><v:roundrect href="https://d.example/" arcsize="5%"><![endif]-->
<a href="https://a.example/?x=1&amp;y=2">again</a>"""
    message = compiled(html, QUIET)
    assert message.links.targets == {
        1: "https://a.example/?x=1&y=2",
        2: "http://b.example",
        3: "https://c.example/",
        4: "https://d.example/",
        5: "https://a.example/?x=1&y=2",
    }
    out = message.html(ANNA, ReadableLinks(), 0)
    assert [f'href="https://l.test/c/{n}"' in out.replace("HREF", "href") for n in range(1, 6)] == [True] * 5
    assert "example" not in out


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:a@b.example">m</a>',
        '<a href="tel:+380">t</a>',
        '<a href="#top">t</a>',
        '<a href="/rel">t</a>',
        '<a href="javascript:x()">t</a>',
        '<link href="https://fonts.example/css" rel="stylesheet">',
        '<img src="https://a.example/i.png">',
        "<style>a{background:url(https://a.example/x)}</style>",
        '<!-- <a href="https://a.example/">x</a> -->',
        "<script>\"<a href='https://a.example'>\"</script>",
        "text https://a.example/ text",
    ],
)
def test_what_is_no_link_of_the_web_stays(html: str) -> None:
    message = compiled(html, QUIET)
    assert message.links.targets == {}
    assert message.html(ANNA, ReadableLinks(), 0) == html


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://esputnik.com/unsubscribe", "https://l.test/u"),
        ("https://yespo.io/unsubscribe", "https://l.test/u"),
        ("https://links.example.com/unsubscribe", "https://l.test/u"),
        (" https://esputnik.com/viewInBrowser ", "https://l.test/v"),
        ("{{ unsubscribe_url }}", "https://l.test/u"),
        ("{{view_url}}", "https://l.test/v"),
        ("https://esputnik.com/unsubscribe/more", "https://l.test/c/1"),
    ],
)
def test_placeholders_become_personal(href: str, expected: str) -> None:
    assert shown(f'<a id="unsubscribe" href="{href}">u</a>') == f'<a id="unsubscribe" href="{expected}">u</a>'


def test_values_in_a_target_stay_values() -> None:
    evil = Person(first_name="a b&c=//d#é\"'<", data={"p": "/x?y=1"})
    assert rendered_target("https://a.example/?n=%FIRSTNAME%&amp;z=1", evil) == (
        "https://a.example/?n=a%20b%26c%3D%2F%2Fd%23%C3%A9%22%27%3C&z=1"
    )
    assert rendered_target("https://a.example/{{ p }}", evil) == "https://a.example/%2Fx%3Fy%3D1"
    assert rendered_target("https://a.example/{{ p | raw }}", evil) == "https://a.example//x?y=1"
    assert (
        rendered_target('https://a.example/?q={{ q | default: "x y" }}', evil) == "https://a.example/?q=x%20y"
    )
    assert (
        rendered_target("https://a.example/?q={{ p | url_encode }}", evil)
        == "https://a.example/?q=%2Fx%3Fy%3D1"
    )
    assert rendered_target("https://a.example/?q=%POSTCODE|x y%", evil) == "https://a.example/?q=x%20y"
    assert rendered_target("https://a.example/{% if p %}yes?{{ p }}{% endif %}", evil) == (
        "https://a.example/yes?%2Fx%3Fy%3D1"
    )


@pytest.mark.parametrize(
    "value", ["evil.example", ".evil.example", "@evil.example/", "//evil.example", ":80@evil.example"]
)
def test_a_value_never_becomes_the_host(value: str) -> None:
    person = Person(data={"x": value})
    for href in (
        "https://a.example{{ x }}",
        "https://a.example{{ x | raw }}",
        "https://a.example/{{ x }}",
        "https://a.example?{{ x }}",
    ):
        where = rendered_target(href, person)
        assert where.startswith(("https://a.example/", "https://a.example?")), where


def test_a_whole_address_may_come_from_data() -> None:
    assert rendered_target("{{ items[0].url }}") == "https://shop.example/mug?a=1&b=2"
    assert rendered_target("%TEMPLATE.u|https://b.example/%") == "https://b.example/"
    bad = Person(
        data={"u": "javascript:alert(1)", "m": "mailto:a@b.example?subject=x&amp", "d": "//c.example/p"}
    )
    assert shown('<a href="{{ u }}">x</a>', bad) == '<a href="#">x</a>'
    assert shown('<a href="{{ none }}">x</a>', bad) == '<a href="#">x</a>'
    assert shown('<a href="{{ m }}">x</a>', bad) == '<a href="mailto:a@b.example?subject=x&amp;amp">x</a>'
    assert rendered_target("{{ d }}", bad) == "https://c.example/p"


def test_links_in_loops_get_one_number_and_a_target_each() -> None:
    person = Person(data={"items": [{"id": "1/2"}, {"id": "b"}], "l": [{"u": "https://x.example/ a"}]})
    html = shown(
        '{% for i in items %}<a href="https://a.example/{{ i.id }}?z=1&amp;y=2">x</a>{% endfor %}', person
    )
    first, second = html.split("</a>")[:2]
    assert target(first.split('"')[1]) == "https://a.example/1%2F2?z=1&y=2"
    assert target(second.split('"')[1]) == "https://a.example/b?z=1&y=2"
    assert "/c/1/" in first
    assert "/c/1/" in second
    html = shown('{% for i in l %}<a href="{{ i.u }}"><a href="https://b.example/">{% endfor %}', person)
    assert target(html.split('"')[1]) == "https://x.example/%20a"
    assert 'href="https://l.test/c/2"' in html


def test_raw_data_cannot_imitate_a_slot() -> None:
    forged = "\ufdd0t1\ufdd1https://evil.example\ufdd0e1\ufdd1"
    html = shown(
        '{% if true %}<a href="https://a.example/">x</a>{{ x | raw }}{% endif %}', Person(data={"x": forged})
    )
    assert "l.test/c/1/" not in html
    assert "evil.example" in html


def test_code_with_quotes_and_angles_does_not_derail_the_html() -> None:
    html = '<a {% if a > 1 %}class="x"{% endif %} href="https://a.example/?n={{ n | default: "it\'s > x" }}">t</a>'
    assert target(shown(html).split('"')[1]) == "https://a.example/?n=it%27s%20%3E%20x"
    editor = '<p title="{{ n | default: &quot;q&quot; }}">{% if 2 &gt; 1 %}yes{%&nbsp;endif %}</p>'
    assert shown(editor) == '<p title="q">yes</p>'


def test_an_address_cut_by_a_block_is_refused() -> None:
    with pytest.raises(Invalid, match=r"htmlText: .*same block"):
        compiled('<a href="https://a.example/{% if x %}1" class="b{% endif %}">x</a>', QUIET)


def test_image_addresses_are_written_as_addresses() -> None:
    person = Person(data={"i": "https://i.example/a b.png?x=1&y=2", "n": "a b", "bad": "javascript:x"})
    assert shown('<img src="{{ i }}">', person) == '<img src="https://i.example/a%20b.png?x=1&amp;y=2">'
    assert shown('<img src="https://i.example/{{ n }}.png" alt="{{ n }}">', person) == (
        '<img src="https://i.example/a%20b.png" alt="a b">'
    )
    assert shown('<img src="{{ bad }}">', person) == '<img src="">'


def test_tracking_can_be_off_and_placeholders_still_work() -> None:
    off = replace(QUIET, track_clicks=False)
    html = '<a href="https://a.example/?x=1&amp;y=2">a</a><a href="https://b.example/?q={{ discount }}&amp;r=1">b</a>'
    assert shown(html + '<a href="https://esputnik.com/unsubscribe">u</a>', options=off) == (
        '<a href="https://a.example/?x=1&amp;y=2">a</a><a href="https://b.example/?q=5%25&amp;r=1">b</a>'
        '<a href="https://l.test/u">u</a>'
    )


def test_the_text_and_amp_parts_share_the_links() -> None:
    message = compiled(
        '<a href="https://a.example/">A</a><a href="https://b.example/?{{ discount }}">B</a>',
        replace(OPTIONS, first_link=10),
        plain_text="A https://a.example/, new: https://c.example/x. B https://b.example/?{{ discount }} {{ unsubscribe_url }}",
        amp_html='<a href="https://c.example/x">C</a>',
    )
    assert message.links.targets == {10: "https://a.example/", 11: None, 12: "https://c.example/x"}
    assert message.links.described[11] == "https://b.example/?{{ discount }}"
    assert message.links.next_number == 13
    raw = message.render(ANNA, ReadableLinks(), envelope()).raw.decode()
    text, amp, _ = raw.split("Content-Type: text/")[1:]
    joined = quopri.decodestring(text.encode()).decode()
    assert "A https://l.test/c/10, new: https://l.test/c/12. B https://l.test/c/11/" in joined
    assert "https://l.test/u" in joined
    assert "https://l.test/c/12" in amp
    assert "https://l.test/o" not in amp
