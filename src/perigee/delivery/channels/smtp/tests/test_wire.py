"""Bytes: dots and line ends, addresses, replies."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channels.smtp.wire import (
    MAX_REPLY_LINE,
    BadAddress,
    Extensions,
    Reply,
    ReplyReader,
    envelope_path,
    to_wire,
)


def unstuff(wire: bytes) -> bytes:
    """What a correct receiver makes of it (RFC 5321 4.5.2), written the other way round."""
    lines = wire.split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


messages = st.lists(
    st.sampled_from(
        [b".", b"..", b"\r\n", b"\n", b"\r", b"\r\n.\r\n", b"\n.\n", b"a", b"Subject: x", b"\xff", b""]
    )
).map(b"".join)


@given(messages)
def test_a_receiver_gets_the_message_back_with_clean_line_ends(message: bytes) -> None:
    got = unstuff(to_wire(message))
    assert got.rstrip(b"\r\n") == re.sub(rb"\r\n|\r|\n", b"\r\n", message).rstrip(b"\r\n")


@given(messages)
def test_nothing_inside_a_message_can_end_it(message: bytes) -> None:
    wire = to_wire(message)
    assert re.search(rb"(^|\r\n|\n|\r)\.(\r\n|\n|\r)", wire + b"x") is None
    assert re.search(rb"\r(?!\n)|(?<!\r)\n", wire) is None
    assert wire == b"" or wire.endswith(b"\r\n")


def test_a_clean_message_is_not_copied() -> None:
    message = b"Subject: x\r\n\r\nhello\r\n"
    assert to_wire(message) is message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "no-at-sign",
        "@example.com",
        "a@",
        "a b@example.com",
        "a@example.com>\r\nRCPT TO:<b@example.com",
        "a@b\r\nDATA",
        "a\n@example.com",
        "<a@example.com>",
        "a\0@example.com",
        "a@example.com\x7f",
        "\ud800@example.com",
        "a@\u2028example.com",
        "a@" + "x" * 260,
        "a@приклад\r\n.укр",
    ],
)
def test_what_is_not_an_address_stays_away_from_the_socket(address: str) -> None:
    with pytest.raises(BadAddress):
        envelope_path(address)


@given(st.text() | st.text(alphabet="a@.<>\r\n\0 é").filter(lambda text: "@" in text))
def test_an_accepted_address_cannot_leave_its_brackets(address: str) -> None:
    try:
        path = envelope_path(address)
    except BadAddress:
        return
    assert not re.search(rb"[\x00-\x20\x7f<>]", path)
    assert len(path) <= 254


def test_international_domains_become_ascii_and_local_parts_stay() -> None:
    assert envelope_path("olena@приклад.укр") == b"olena@xn--80aikifvh.xn--j1amh"
    assert envelope_path("олена@example.com") == "олена@example.com".encode()


def test_replies_are_read_across_any_cut() -> None:
    stream = b"250-first\r\n250 second\r\n354 go\r\n250\r\n220 bare newline\n"
    for cut in range(len(stream) + 1):
        reader = ReplyReader()
        replies = reader.feed(stream[:cut]) + reader.feed(stream[cut:])
        assert [(reply.code, reply.text) for reply in replies] == [
            (250, "first second"),
            (354, "go"),
            (250, ""),
            (220, "bare newline"),
        ]
        assert reader.broken is None
        assert not reader.holds_input


@pytest.mark.parametrize(
    "stream",
    [
        b"hello\r\n",
        b"2500 x\r\n",
        b"199 x\r\n",
        b"600 x\r\n",
        b"250-a\r\n251 b\r\n",
        b"250_x\r\n",
        b"\r\n",
        b"250 " + b"x" * MAX_REPLY_LINE + b"\r\n",
        b"x" * (MAX_REPLY_LINE + 1),
        b"250-x\r\n" * 1000,
    ],
)
def test_unreadable_streams_are_named_and_stay_so(stream: bytes) -> None:
    reader = ReplyReader()
    assert [reply.code for reply in reader.feed(b"250 ok\r\n" + stream)] == [250]
    assert reader.broken
    assert reader.feed(b"250 ok\r\n") == []


@given(
    st.lists(
        st.binary(max_size=300) | st.sampled_from([b"250 ok\r\n", b"250-x\r\n", b"550 5.1.1 no\r\n", b"2"])
    )
)
def test_the_reader_takes_anything_and_holds_little(chunks: list[bytes]) -> None:
    reader = ReplyReader()
    for chunk in chunks:
        for reply in reader.feed(chunk):
            assert 200 <= reply.code <= 599
            assert len(reply.text) <= 500
            assert reply.text.isprintable()
            assert isinstance(reply.enhanced, str)
        assert len(reader._rest) <= MAX_REPLY_LINE or reader.broken
        assert len(reader._lines) <= 128


def test_enhanced_codes_are_read_from_the_front_only() -> None:
    assert Reply(550, [b"5.1.1 no such user"]).enhanced == "5.1.1"
    assert Reply(550, [b"5.1.1"]).enhanced == "5.1.1"
    assert Reply(421, [b"5.7.32 alignment"]).enhanced == "5.7.32"
    assert Reply(550, [b"no 5.1.1 here"]).enhanced == ""
    assert Reply(550, [b"5.1.1.1 x"]).enhanced == ""
    assert (
        Reply(550, [b"5.1.1 The account", b"5.1.1 does not exist"]).text == "5.1.1 The account does not exist"
    )


def test_extensions_are_what_was_announced() -> None:
    lines = [
        b"mx PIPELINING",
        b"size 1000",
        b"AUTH=LOGIN",
        b"AUTH PLAIN XOAUTH2",
        b"starttls",
        b"SIZE 5",
        b"\xff",
    ]
    extensions = Extensions(Reply(250, lines))
    assert not extensions.pipelining
    assert extensions.size
    assert extensions.max_size == 1000
    assert extensions.auth == {"LOGIN", "PLAIN", "XOAUTH2"}
    assert extensions.starttls
    assert not extensions.smtputf8
    assert Extensions(Reply(250, [b"x", b"SIZE"])).max_size == 0
    assert Extensions(Reply(250, [b"x", b"SIZE " + b"9" * 5000])).max_size == 0
    assert not Extensions().size
