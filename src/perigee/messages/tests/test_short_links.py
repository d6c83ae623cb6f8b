"""Codes of short links: short, read back, and nobody else can make one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import NotFound
from perigee.lib.gsm import count
from perigee.lib.tokens import Signer, derive
from perigee.messages.links import CLICK, SignedLinks, read_recipient
from perigee.messages.short_links import ShortLink, read, write

KEYS = {1: derive("secret", "links/1"), 2: derive("secret", "links/2")}
SIGNER = Signer(KEYS, current=2)
NUMBERS = st.integers(0, 2**62)
LINK = ShortLink(12, 4702001, 1234, 1)


@given(NUMBERS, NUMBERS, st.integers(0, 2**31 - 1), st.integers(0, 32767))
def test_what_we_wrote_is_read_back(org: int, send: int, ordinal: int, number: int) -> None:
    link = ShortLink(org, send, ordinal, number)
    code = write(SIGNER, link)
    assert code.isascii()
    assert code.isalnum()
    assert read(SIGNER, code) == link


@pytest.mark.parametrize(
    ("link", "length"), [(ShortLink(1, 4702001, 900, 1), 16), (ShortLink(30, 28_000_000, 900_000, 30), 18)]
)
def test_a_code_is_short(link: ShortLink, length: int) -> None:
    assert len(write(SIGNER, link)) == length
    assert count(write(SIGNER, link)).coding == "gsm7"


def test_a_link_of_an_earlier_key_still_leads_on() -> None:
    assert read(SIGNER, write(Signer(KEYS, current=1), LINK)) == LINK


@given(st.integers(0, 16), st.sampled_from("09AZaz"))
def test_a_changed_code_is_not_found(place: int, sign: str) -> None:
    code = write(SIGNER, LINK)
    changed = code[:place] + sign + code[place + 1 :]
    if changed != code:
        with pytest.raises(NotFound):
            read(SIGNER, changed)


@given(st.text(max_size=80))
def test_what_we_did_not_write_is_not_found(code: str) -> None:
    with pytest.raises(NotFound):
        read(SIGNER, code)


def test_a_code_of_another_installation_or_purpose_is_not_found() -> None:
    other = Signer({2: derive("other", "links/2")}, current=2)
    with pytest.raises(NotFound):
        read(SIGNER, write(other, LINK))
    with pytest.raises(NotFound):
        read_recipient(SIGNER, CLICK, write(SIGNER, LINK))


def test_a_target_of_one_person_travels_sealed() -> None:
    links = SignedLinks(SIGNER, "https://go.test", 12, 4702001, short=True).of(1234, 100001)
    assert links.click(1, None) == f"https://go.test/s/{write(SIGNER, LINK)}"
    assert links.click(2, "https://a.example/Kyiv").startswith("https://go.test/c/")
