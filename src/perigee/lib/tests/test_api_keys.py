import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib.api_keys import fingerprint, looks_valid, new_key


def test_new_keys() -> None:
    keys = {new_key() for _ in range(200)}
    assert len(keys) == 200
    assert all(looks_valid(key) and re.fullmatch(r"pgk_[0-9A-Za-z]{49}", key) for key in keys)


def test_every_typing_error_is_seen() -> None:
    key = new_key()
    for position in range(len(key)):
        for other in "0aZ_ é":
            if key[position] != other:
                assert not looks_valid(key[:position] + other + key[position + 1 :])
    assert not looks_valid(key[:-1])
    assert not looks_valid(key + "\n")


@pytest.mark.parametrize(
    "text", ["", "pgk_", "pgk_" + "0" * 49 + "0", "\ud800" * 53, "é" * 53, "x" * 100_000]
)
def test_other_texts_are_no_keys(text: str) -> None:
    assert not looks_valid(text)
    assert len(fingerprint(text, b"pepper")) == 32


@given(st.text(max_size=80), st.text(max_size=80))
def test_fingerprints_are_keyed_and_distinct(one: str, other: str) -> None:
    assert fingerprint(one, b"pepper") == fingerprint(one, b"pepper")
    assert fingerprint(one, b"pepper") != fingerprint(one, b"salt")
    if one != other:
        assert fingerprint(one, b"pepper") != fingerprint(other, b"pepper")
    assert one.encode() not in fingerprint(one, b"pepper") or len(one) < 4
