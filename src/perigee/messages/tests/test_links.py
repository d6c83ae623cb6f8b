"""Signed links: what we made is read back, anything else is not found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import NotFound
from perigee.lib.tokens import Signer, derive
from perigee.messages.links import (
    OPEN,
    UNSUBSCRIBE,
    VIEW,
    Click,
    Recipient,
    SignedLinks,
    read_click,
    read_recipient,
)

KEYS = {1: derive("secret", "links/1"), 2: derive("secret", "links/2")}
SIGNER = Signer(KEYS, current=2)
WHO = Recipient(12, 4702001, 17, 100001)
NUMBERS = st.integers(0, 2**62)


LINKS = SignedLinks(SIGNER, "https://l.test", 12, 4702001).of(17, 100001)


def path(url: str) -> str:
    base, kind, rest = url.rpartition("/")[0].rpartition("/")[0], url.split("/")[3], url.split("/")[4]
    assert base == "https://l.test"
    assert kind in "couv"
    return rest


@given(NUMBERS, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 32767), st.text(max_size=300))
def test_what_we_made_is_read_back(
    org: int, send: int, ordinal: int, contact: int, number: int, target: str
) -> None:
    who = Recipient(org, send, ordinal, contact)
    maker = SignedLinks(SIGNER, "https://l.test", org, send).of(ordinal, contact)
    target = "https://a.example/" + target.encode("utf-8", "ignore").decode()
    assert read_click(SIGNER, path(maker.click(number, None))) == Click(who, number, None)
    assert read_click(SIGNER, path(maker.click(number, target))) == Click(who, number, target)
    assert read_recipient(SIGNER, OPEN, path(maker.open_pixel())) == who
    assert read_recipient(SIGNER, UNSUBSCRIBE, path(maker.unsubscribe())) == who
    assert read_recipient(SIGNER, VIEW, path(maker.view())) == who
    assert maker.one_click() == maker.unsubscribe()


def test_links_can_stand_anywhere_as_they_are() -> None:
    urls = [
        LINKS.click(3, None),
        LINKS.click(3, "https://a.example/?q=ü&b=\"<'"),
        LINKS.open_pixel(),
        LINKS.view(),
    ]
    for url in urls:
        assert url.isascii()
        assert not set(url) & set("\"'<>& \r\n=")
    assert len(urls[0]) < 76


def test_one_kind_is_worthless_as_another() -> None:
    tokens = {
        "click": path(LINKS.click(1, None)).split(".")[0],
        OPEN: path(LINKS.open_pixel()),
        UNSUBSCRIBE: path(LINKS.unsubscribe()),
        VIEW: path(LINKS.view()),
    }
    for made, token in tokens.items():
        for purpose in tokens:
            if purpose != made:
                with pytest.raises(NotFound):
                    read_recipient(SIGNER, purpose, token)


def test_a_rendered_target_cannot_be_changed_or_moved() -> None:
    other = SignedLinks(SIGNER, "https://l.test", 12, 4702001).of(18, 100002)
    token, carried, seal = path(LINKS.click(5, "https://good.example/")).split(".")
    evil, evil_seal = path(LINKS.click(6, "https://evil.example/")).split(".")[1:]
    stranger = path(other.click(5, None)).split(".")[0]
    assert read_click(SIGNER, f"{token}.{carried}.{seal}") == Click(WHO, 5, "https://good.example/")
    for forged in (
        [token, evil, seal],
        [token, carried, evil_seal],
        [stranger, carried, seal],
        [token, carried, token],
        [token, carried, seal[:-2] + "AA"],
        [token, carried, ""],
        [token, "", seal],
        [token, carried],
        [token, carried, seal, ""],
    ):
        with pytest.raises(NotFound):
            read_click(SIGNER, ".".join(forged))


def test_any_flipped_character_is_not_found() -> None:
    for good in (path(LINKS.click(3, "https://a.example/")), path(LINKS.click(3, None)).split(".")[0] + ".3"):
        for index, character in enumerate(good):
            changed = good[:index] + ("A" if character != "A" else "B") + good[index + 1 :]
            if changed.split(".")[0] == good.split(".")[0] and changed.count(".") == 1:
                continue  # the number of a stored link is not signed: it can only name another stored link
            with pytest.raises(NotFound):
                read_click(SIGNER, changed)


@given(st.text(max_size=80) | st.text("AQy.-_=09", max_size=80))
def test_garbage_is_not_found(text: str) -> None:
    with pytest.raises(NotFound):
        read_click(SIGNER, text)
    with pytest.raises(NotFound):
        read_recipient(SIGNER, OPEN, text)


@pytest.mark.parametrize("number", ["01", "-1", "1.0", "١", "", "999999", "1 ", "+1"])
def test_a_number_has_one_spelling(number: str) -> None:
    with pytest.raises(NotFound):
        read_click(SIGNER, path(LINKS.click(1, None)).split(".")[0] + "." + number)


def test_links_outlive_a_change_of_keys() -> None:
    old = SignedLinks(Signer(KEYS, current=1), "https://l.test", 12, 4702001).of(17, 100001)
    assert read_recipient(SIGNER, UNSUBSCRIBE, path(old.unsubscribe())) == WHO
    assert read_click(SIGNER, path(old.click(2, "https://a.example/"))).target == "https://a.example/"
    stranger = Signer({2: derive("other", "links/2")}, current=2)
    with pytest.raises(NotFound):
        read_recipient(stranger, UNSUBSCRIBE, path(LINKS.unsubscribe()))
