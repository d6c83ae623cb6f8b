"""UTM tags: what is written, and that an address comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.messages.contents import Sms
from perigee.messages.sms import compile_sms
from perigee.messages.utm import DEFAULTS, Utm, check_utm, of_organisation, tagged, tags_of
from perigee.messages.version import MessageVersion

from .factories import ANNA, NOW, OPTIONS, QUIET, ReadableLinks, shown

VALUES = {"channel": "email", "campaign": "May sale & more", "message_id": "7", "date": "2026-05-04"}
TAGS = "utm_source=perigee&utm_medium=email&utm_campaign=May"
NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_content")

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
names = st.one_of(texts, st.sampled_from([*NAMES, "UTM_Source", "utm%5Fsource", "id"]))
queries = st.lists(st.tuples(names, texts), max_size=5).map(
    lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).replace("#", "")
)
urls = st.builds(
    lambda scheme, path, mark, query, fragment: (
        f"{scheme}://shop.example.com{path}" + (f"?{query}" if mark else "") + fragment
    ),
    st.sampled_from(["http", "https", "HTTPS"]),
    st.one_of(st.just(""), texts.map(lambda text: "/" + text.replace("?", "").replace("#", ""))),
    st.booleans(),
    queries,
    st.one_of(st.just(""), texts.map(lambda text: "#" + text)),
)


def names_of(query: str) -> set[str]:
    return {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}


@given(urls, st.integers(0, 2**63 - 1), st.builds(Utm, st.just(True), texts, texts, texts))
def test_an_address_parses_back_to_itself_and_the_tags_it_had_not(url: str, contact: int, utm: Utm) -> None:
    tags = tags_of(utm, "email", VALUES)
    assert tags is not None
    wanted = parse_qsl(tags) + ([("utm_content", f"Yespo-{contact}")] if contact else [])
    before, hash_, fragment = url.partition("#")
    address, _, query = before.partition("?")
    result = tagged(url, tags, contact)
    after, hash_after, fragment_after = result.partition("#")
    address_after, _, query_after = after.partition("?")
    assert (address_after, hash_after, fragment_after) == (address, hash_, fragment)
    assert query_after.startswith(query)
    added = parse_qsl(query_after[len(query) :])
    assert added == [(name, value) for name, value in wanted if name not in names_of(query)]
    if not added:
        assert result == url
    assert tagged(result, tags, contact) == result


@given(
    st.one_of(texts, st.sampled_from(["mailto:a@b.example?subject=x", "tel:+380", "app://x/?y", "/a?b", ""]))
)
def test_what_is_no_address_of_the_web_stays(text: str) -> None:
    if not text.lower().startswith(("http://", "https://")):
        assert tagged(text, TAGS, 5) == text


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://a.example", f"https://a.example?{TAGS}&utm_content=Yespo-5"),
        ("https://a.example/?", f"https://a.example/?{TAGS}&utm_content=Yespo-5"),
        ("https://a.example/?x=1&", f"https://a.example/?x=1&{TAGS}&utm_content=Yespo-5"),
        ("https://a.example/?b=2&a=%20+&&#/r?q", f"https://a.example/?b=2&a=%20+&&{TAGS}&utm_content=Yespo-5#/r?q"),
        ("https://a.example/?utm_medium=own&utm_content", "https://a.example/?utm_medium=own&utm_content"
         "&utm_source=perigee&utm_campaign=May"),
    ],
)  # fmt: skip
def test_tags_go_behind_the_query_and_before_the_fragment(url: str, result: str) -> None:
    assert tagged(url, TAGS, 5) == result


def test_switched_off_nothing_is_added_and_nobody_is_named() -> None:
    assert tags_of(Utm(enabled=False), "email", VALUES) is None
    assert tagged("https://a.example/?x=1", None, 5) == "https://a.example/?x=1"


def test_the_contact_is_named_without_other_tags_too() -> None:
    tags = tags_of(Utm(source="", medium="", campaign=""), "email", VALUES)
    assert tags == ""
    assert tagged("https://a.example/", tags, 5) == "https://a.example/?utm_content=Yespo-5"


def test_an_sms_is_tagged_only_when_asked() -> None:
    assert tags_of(Utm(), "sms", VALUES) is None
    assert tags_of(Utm(enabled=True), "sms", VALUES) is not None
    assert tags_of(Utm(), "viber", VALUES) is not None


def test_texts_hold_variables_and_come_out_encoded_and_short() -> None:
    assert tags_of(Utm(), "email", VALUES) == (
        "utm_source=perigee&utm_medium=email&utm_campaign=May%20sale%20%26%20more"
    )
    own = Utm(source="shop", medium="{date}/{message_id}", campaign="{campaign}{campaign_id}")
    assert tags_of(own, "email", {**VALUES, "campaign": "x" * 300}) == (
        f"utm_source=shop&utm_medium=2026-05-04%2F7&utm_campaign={'x' * 100}"
    )


def test_what_is_not_set_is_as_it_is_below() -> None:
    organisation = of_organisation({"utm": False, "utm_source": "shop", "utm_medium": ""})
    assert organisation == Utm(source="shop", medium="")
    both = Utm(enabled=True, campaign="x").over(organisation).over(DEFAULTS)
    assert both == Utm(True, "shop", "", "x")


def test_an_unknown_variable_is_refused_and_named() -> None:
    with pytest.raises(Invalid, match=r"utm\.medium.*\{campaign_id\}") as refused:
        check_utm(Utm(medium="{segment}"))
    assert refused.value.field == "utm.medium"
    assert check_utm(Utm(False, " a\x00b ", None, "{message}")) == Utm(False, "ab", None, "{message}")


def test_untracked_links_of_an_sms_are_written_by_the_link_maker() -> None:
    version = MessageVersion(
        Sms(from_="EXAMPLE", text="Go https://a.example/x, https://a.example/{{ town }}!")
    )
    sms = compile_sms(version, replace(OPTIONS, track_clicks=False, tag_links=True))
    assert sms.links.targets == {}
    assert sms.render(ANNA, ReadableLinks(), NOW).text == (
        "Go https://a.example/x?a=1&utm=2, https://a.example/Kyiv?a=1&utm=2!"
    )


def test_untracked_links_in_html_are_escaped_and_images_stay() -> None:
    off = replace(QUIET, track_clicks=False, tag_links=True)
    html = (
        '<a href="https://a.example/">a</a>{% for i in (1..2) %}<a href="https://b.example/">b</a>{% endfor %}'
        '<a href="mailto:a@b.example">m</a><img src="https://i.example/{{ town }}.png">'
        '<a href="https://esputnik.com/unsubscribe">u</a>'
    )
    assert shown(html, options=off) == (
        '<a href="https://a.example/?a=1&amp;utm=2">a</a>'
        + '<a href="https://b.example/?a=1&amp;utm=2">b</a>' * 2
        + '<a href="mailto:a@b.example">m</a><img src="https://i.example/Kyiv.png"><a href="https://l.test/u">u</a>'
    )


def test_an_untracked_address_that_would_become_code_stays_as_it_is() -> None:
    off = replace(QUIET, track_clicks=False, tag_links=True)
    html = '<a href="https://a.example/?x=&#123;&#123; town }}">a</a>'
    assert shown(html, options=off) == html
