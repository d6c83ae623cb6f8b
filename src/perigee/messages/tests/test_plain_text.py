"""The text part that is made from the HTML."""

from __future__ import annotations

import pytest

from perigee.messages.person import Person
from perigee.messages.rendering import Rendering

from .factories import ANNA, NOW, QUIET, ReadableLinks, compiled


def text(html: str, person: Person = ANNA) -> str:
    script = compiled(html, QUIET).scripts["plainText"]
    return script.text(Rendering(person, ReadableLinks(), NOW))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h1>Title</h1><p>One\n  two</p><p>Three<br>four</p>", "Title\n\nOne two\n\nThree\nfour"),
        ("a <b>bold</b> and <i>it</i>alic, a<b>b</b>c", "a bold and italic, abc"),
        (
            "<ul><li>one</li><li>two <ol><li>x</li><li>y</li></ol></li></ul>end",
            "- one\n- two\n  1. x\n  2. y\n\nend",
        ),
        ("&lt;b&gt; &amp;&nbsp;&mdash; &#1234;", "<b> & — Ӓ"),
        ("<style>p{}</style><script>x</script><!-- c --><title>t</title><p>x</p>", "x"),
        ("<html><head><title>t</title>junk</head><body>x</body></html>", "x"),
        ('<div style="display: none">hidden<div>more</div>too</div>shown', "shown"),
        ("<!--[if mso]>outlook<![endif]--><!--[if !mso]><!-->others<!--<![endif]-->", "others"),
        ('<a href="https://a.example/">Shop</a> now', "Shop (https://l.test/c/1) now"),
        ('<a href="https://a.example/">https://a.example</a>', "https://l.test/c/1"),
        ('see <a href="https://a.example/">https://a.example/</a>.', "see https://l.test/c/1."),
        ('<a href="https://a.example/"><img src="i.png" alt="Buy now"></a>', "Buy now (https://l.test/c/1)"),
        ('<a href="https://a.example/"><img src="i.png"></a>', "https://l.test/c/1"),
        ('<img src="i.png" alt="decoration">x', "x"),
        (
            '<a href="mailto:a@b.example?subject=x">write</a> <a href="mailto:a@b.example">a@b.example</a>',
            "write (a@b.example) a@b.example",
        ),
        ('<a href="tel:+380">call</a> <a href="#x">up</a> <a>nothing</a>', "call (+380) up nothing"),
        ('<a href="https://yespo.io/unsubscribe">Leave</a>', "Leave (https://l.test/u)"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("a<hr>b", "a\n\n--------------------\n\nb"),
        ("<p>Hi {{ first_name }}, <b>%LASTNAME|x%</b>!</p>", "Hi Anna, Koval!"),
        ("<p>{% if town %}From {{ town }}{% endif %} here</p>", "From Kyiv here"),
        ("<ul>{% for i in (1..2) %}<li>{{ i }}</li>{% endfor %}</ul>x", "\n- 1\n- 2\n\nx"),
        ("<p>a</p>{% for i in (1..2) %}<p>{{ i }}</p>{% endfor %}<p>b</p>", "a\n\n1\n\n2\n\nb"),
        ("<p>a</p><p>{% if no %}b{% endif %}c</p>", "a\n\nc"),
        ("a {% if no %}b{% endif %}c{% if town %} d {% endif %}e", "a c d e"),
        ("a{% if town %}b<br>{% endif %}c<br>{% if no %}d<br>{% endif %}e", "ab\nc\ne"),
        ("<ol>{% for i in (1..2) %}<li>{{ i }}</li>{% endfor %}</ol>", "\n- 1\n- 2"),
        (
            '<a href="https://a.example/{{ town }}">Go</a>',
            "Go (https://l.test/c/1/68747470733a2f2f612e6578616d706c652f4b796976)",
        ),
        # code where nothing is shown still steers
        (
            "<head>{% assign x = 'set' %}</head><!-- {% assign y = 'too' %} --><p>{{ x }} {{ y }}</p>",
            "set too",
        ),
        ('<p {% if town %}class="a">yes{% else %}>no{% endif %}</p>', "yes"),
        ("<td class=\"{% cycle 'odd', 'even' %}\">x</td>", "x"),
        (
            '<a href="https://a.example/{% if town %}k{% endif %}">t</a>',
            "t (https://l.test/c/1/68747470733a2f2f612e6578616d706c652f6b)",
        ),
        ("{{ t | default: 'Tom &amp; J' }}", "Tom &amp; J"),
    ],
)
def test_html_reads_as_text(html: str, expected: str) -> None:
    assert text(html) == expected + "\n"


def test_values_are_not_escaped_in_text() -> None:
    assert text("<p>{{ first_name }}</p>", Person(first_name='<b> & "')) == '<b> & "\n'
