"""Tokens that come back with bounces: they name one message, and nobody else can make one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.bounces.verp import Bounced, read, token
from perigee.errors import NotFound
from perigee.keys import Keys

KEYS = Keys.of("a secret of the tests that is long enough")
KEY = KEYS.bounces
MESSAGES = st.builds(
    Bounced,
    st.integers(0, 2**28 - 1),
    st.integers(0, 2**42 - 1),
    st.integers(0, 2**35 - 1),
    st.integers(0, 2**42 - 1),
)
SOME = Bounced(1, 2, 3, 4)


@given(MESSAGES, st.booleans())
def test_a_token_names_its_message_in_any_case(message: Bounced, capitals: bool) -> None:
    made = token(KEY, *message)
    assert re.fullmatch(r"[a-z2-7]{1,50}", made)
    assert made == token(KEY, *message)
    assert read(KEY, made.upper() if capitals else made) == message


@given(MESSAGES, MESSAGES)
def test_two_messages_have_two_tokens(one: Bounced, other: Bounced) -> None:
    assert (token(KEY, *one) == token(KEY, *other)) is (one == other)


@given(MESSAGES, st.data())
def test_a_changed_token_is_none_of_ours(message: Bounced, data: st.DataObject) -> None:
    made = token(KEY, *message)
    place = data.draw(st.integers(0, len(made) - 1))
    other = data.draw(
        st.sampled_from("abcdefghijklmnopqrstuvwxyz234567=. é").filter(lambda c: c != made[place])
    )
    with pytest.raises(NotFound):
        read(KEY, made[:place] + other + made[place + 1 :])


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(NotFound):
        read(KEY, text)


@pytest.mark.parametrize(
    "text", ["", "aaaaaaaaaaaaaaaa", token(KEY, *SOME)[:-2], token(KEY, *SOME) + "aa", "a" * 600]
)
def test_cut_and_padded_tokens_are_refused(text: str) -> None:
    with pytest.raises(NotFound):
        read(KEY, text)


def test_a_bounce_token_does_not_unsubscribe() -> None:
    with pytest.raises(NotFound):
        read(KEYS.unsubscribe_mail, token(KEY, *SOME))
