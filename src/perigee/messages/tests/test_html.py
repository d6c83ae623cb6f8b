"""The linear HTML scan."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.messages.html import Kind, attribute_text, attributes, body_place, check_size, pieces, rewrite

MARKUP = st.lists(
    st.sampled_from(
        [
            "<",
            ">",
            "</",
            "<a",
            "<p>",
            "</p>",
            "<!--",
            "-->",
            "<!--[if mso]>",
            "<![endif]-->",
            '"',
            "'",
            "=",
            " ",
            "/",
            "href",
            "<style>",
            "</style>",
            "<script",
            "</script>",
            "<title>",
            "text",
            "\n",
            "<!",
            "<?",
            "é",
            "<br/>",
        ]
    ),
    max_size=40,
).map("".join)


@given(MARKUP | st.text(max_size=80), st.booleans())
def test_pieces_leave_no_gap(html: str, conditional: bool) -> None:
    found = list(pieces(html, conditional=conditional))
    assert "".join(html[piece.start : piece.end] for piece in found) == html
    for piece in found:
        if piece.kind is Kind.OPEN:
            for attribute in attributes(html, piece):
                assert piece.start < attribute.start < attribute.end <= piece.end
    assert rewrite(html, lambda tag, attribute: None) == html
    begin, end = body_place(html)
    assert 0 <= begin <= end <= len(html)


def test_tags_and_attributes() -> None:
    html = """<A Href="x > y" b='2"3' c=4/5 d e = "f">t</A ><br/><!-- <b> --><i>"""
    found = list(pieces(html))
    assert [(p.kind.value, p.name) for p in found] == [
        ("open", "a"),
        ("text", ""),
        ("close", "a"),
        ("open", "br"),
        ("comment", ""),
        ("open", "i"),
    ]
    assert [(a.name, a.value) for a in attributes(html, found[0])] == [
        ("href", "x > y"),
        ("b", '2"3'),
        ("c", "4/5"),
        ("e", "f"),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("?a=1&amp;b=2&#38;c&#x26;d", "?a=1&b=2&c&d"),
        ("?a=1&copy=2&reg=3&notit;&order=1", "?a=1&copy=2&reg=3&notit;&order=1"),
        ("&copy &copy;= &nosuch; &ampx &amp", "© ©= &nosuch; &ampx &"),
        ("&quot;&lt&", '"<&'),
    ],
)
def test_references_in_attributes(value: str, text: str) -> None:
    assert attribute_text(value) == text


def test_what_looks_like_markup_in_raw_text_is_text() -> None:
    html = "<style>a<b{}</style><script>if(a<b)'</p>'</script><title><a></title>"
    assert [p.name for p in pieces(html) if p.kind is Kind.OPEN] == ["style", "script", "title"]


def test_conditional_comments_are_read_for_links_only() -> None:
    html = "<!--[if mso]><a><![endif]--><!--[if !mso]><!--><b><!--<![endif]-->"
    assert [p.name for p in pieces(html) if p.kind is Kind.OPEN] == ["a", "b"]
    assert [p.name for p in pieces(html, conditional=False) if p.kind is Kind.OPEN] == ["b"]


@pytest.mark.parametrize(
    ("html", "inner"),
    [
        ("<html><head><title>t</title></head><body class=a><p>x</p></body></html>", "<p>x</p>"),
        ("<p>x</p>", "<p>x</p>"),
        ("<html><head></head><p>x</p></html>", "<p>x</p>"),
        ("<body><p>x</p>", "<p>x</p>"),
        ("<body><!-- </body> --><p>x</p></body>", "<!-- </body> --><p>x</p>"),
    ],
)
def test_the_place_of_the_content(html: str, inner: str) -> None:
    begin, end = body_place(html)
    assert html[begin:end] == inner


def test_depth_and_size_have_limits() -> None:
    check_size("<div>" * 256 + "</div>" * 256, "htmlText")
    check_size("<ul>" + "<li>x" * 5000 + "</ul>" + "<p>y" * 5000 + "<table>" + "<tr>" * 3000, "htmlText")
    check_size("<p><b>x</b></p>" * 10_000 + "<br><img>" * 5000, "htmlText")
    check_size("<mj-image/>" * 1000, "mjml", xml=True)
    for deep in (
        "<div>" * 257,
        "\n<div/>" * 257,
        "<div></p>" * 257,
        "<p><b id=1></p>" * 300,
        "<table><tr><td>" * 90,
    ):
        with pytest.raises(Invalid, match=r"htmlText: line \d+: .*256"):
            check_size(deep, "htmlText")
    with pytest.raises(Invalid, match="larger than"):
        check_size("é" * 1_000_001, "htmlText")


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "unit", ["<a ", '<a "', "<!--", "<style>", "<title>", "<a href='", "</", "<!", "<a b = ", "<p>", "< "]
)
def test_the_scan_is_linear(unit: str) -> None:
    html = unit * (600_000 // len(unit))
    assert sum(piece.end - piece.start for piece in pieces(html)) == len(html)
    rewrite(html, lambda tag, attribute: None)
