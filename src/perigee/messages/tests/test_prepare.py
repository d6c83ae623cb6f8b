"""MJML and CSS inlining in the child process: code survives, nothing is fetched, nothing takes the worker down."""

from __future__ import annotations

import re
import socket

import pytest

from perigee.errors import Invalid
from perigee.messages import prepare as module
from perigee.messages.contents import Email
from perigee.messages.liquid import Liquid
from perigee.messages.prepare import StandIns, inline, prepare

from .factories import FROM

MJML = """<mjml><mj-head><mj-title>Hi {{ t | default: "x" }}</mj-title>
<mj-style inline="inline">.red{color:red}</mj-style>
<mj-style>.blue{color:{{ c }}}</mj-style></mj-head><mj-body>
{% if vip > 1 %}<mj-section><mj-column>
<mj-text css-class="red">Hello %FIRSTNAME|a "b"%, <b title="{{ t | default: "q" }}">x</b>
<table>{% for i in items %}<tr {% if i.a > 2 %}class="z"{% else %}class="y"{% endif %}><td>{{ i.name }}</td></tr>{% endfor %}</table>
</mj-text><mj-button href="https://x.example/?a=1&amp;b={{ x | default: "1" }}">Go</mj-button>
</mj-column></mj-section>{% endif %}<mj-raw>{% assign q = 1 %}</mj-raw></mj-body></mjml>"""

PAGE = """<!DOCTYPE html><html><head><title>{{ t }}</title><style>.red{color:red}.c{color:{{ c }}}</style></head>
<body class="red"><!--[if mso]><p>{{ mso > 1 }}</p><![endif]--><table>{% for i in items %}<tr {% if i.a > 2 %}class="z"{% endif %}>
<td style="padding:1px;{% if b %}color:{{ c }};{% endif %}" class="red">{{ i.name | default: "x" }}
<a href="https://x.example/?b=2&amp;c={{ u | default: "v" }}" style="{{ s }}">%TOWN|"t"%</a></td></tr>{% endfor %}</table>
<![if !mso]><p>other<![endif]></body></html>"""
CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|%[A-Z]+\|.*?%")


def content(**members: str) -> Email:
    return Email(**{"from_": FROM, "subject": "s", **members})


def test_mjml_becomes_html_with_all_its_code() -> None:
    html = prepare(content(mjml=MJML)).html_text
    assert html.lower().startswith("<!doctype html>")
    assert re.search(r'<td class="red"[^>]*color: ?red', html)
    assert set(CODE.findall(MJML)) == set(CODE.findall(html))
    assert 'href="https://x.example/?a=1&amp;b={{ x | default: "1" }}"' in html
    assert re.search(r'<tr \{% if i.a > 2 %\}class="z"\{% else %\}class="y"\{% endif %\}>', html)
    order = [
        html.index(code)
        for code in ("{% if vip > 1 %}", "{% for i", "{{ i.name }}", "{% endfor", "{% assign q")
    ]
    assert order == sorted(order)


def test_css_is_inlined_around_code() -> None:
    html = prepare(content(raw_html=PAGE, css=".red{margin:0}")).html_text
    assert CODE.findall(PAGE) == CODE.findall(html)
    assert 'style="margin: 0' in html
    assert "<style>.red{color:red}" in html
    assert "<![if !mso]>" in html
    own = prepare(content(html_text=PAGE), inline_styles=True).html_text
    assert '<body class="red" style="color: red' in own


def test_html_is_left_alone_unless_asked() -> None:
    assert prepare(content(html_text=PAGE)).html_text == PAGE
    assert prepare(content(html_text=PAGE, raw_html="<p>", css="")).html_text == PAGE


def test_stand_ins_give_back_the_source() -> None:
    for source in (PAGE, MJML, "{{ a }}", "<p style='{{ a }}:1;x:{{ b }}'>", "<textarea>{{ a }}</textarea>"):
        stand_ins = StandIns(source, Liquid(), "htmlText")
        assert "{{" not in stand_ins.text
        assert "{%" not in stand_ins.text
        restored = stand_ins.restore(stand_ins.text)
        assert re.sub(r"[ ;]", "", restored) == re.sub(r"[ ;]", "", source)


@pytest.mark.parametrize(
    ("mjml", "reason"),
    [
        ("<mjml><mj-body><mj-section></mj-body></mjml>", "mjml: "),
        ("<mjml>" + "<mj-section>" * 300, "256"),
        ("<mjml><mj-body><mj-include path='/etc/passwd' /></mj-body></mjml>", "mj-include"),
        ("<mjml><mj-body>{{ x </mj-body></mjml>", "never closed"),
        ("not mjml", "mjml: "),
    ],
)
def test_bad_mjml_is_refused(mjml: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason) as caught:
        prepare(content(mjml=mjml))
    assert caught.value.field == "mjml"


def test_nothing_is_fetched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        port = canary.getsockname()[1]
        page = (
            f"<style>@import url(http://127.0.0.1:{port}/a.css);p{{color:red}}</style>"
            f"<link rel=stylesheet href='http://127.0.0.1:{port}/b.css'><link rel=stylesheet href='file:///etc/passwd'><p>x</p>"
        )
        html = inline(
            page, f"@import url(http://127.0.0.1:{port}/c.css);", Liquid(), "htmlText", style_tags=True
        )
        assert "color: red" in html
        canary.settimeout(0)
        with pytest.raises(BlockingIOError):
            canary.accept()


def test_a_child_that_dies_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    # Past the depth check, which would refuse it: the native parser overflows its stack.
    monkeypatch.setattr(module, "check_size", lambda *args, **kwargs: None)
    with pytest.raises(Invalid, match="too complex"):
        inline("<div>" * 30_000, "div{color:red}", Liquid(), "htmlText")


def test_a_child_that_takes_too_long_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.001)
    with pytest.raises(Invalid, match="takes longer"):
        inline("<p>x</p>", "p{color:red}", Liquid(), "htmlText")
