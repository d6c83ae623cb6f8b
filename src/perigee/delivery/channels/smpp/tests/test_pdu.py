"""Octets there and back, against an independent codec where there is one."""

from __future__ import annotations

import contextlib

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channels.smpp.pdu import (
    LONGEST,
    Address,
    Command,
    Frames,
    Pdu,
    ShortMessage,
    Unreadable,
    c_string,
    frame,
    read_data_sm,
    read_message_id,
    read_short_message,
)

ASCII = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
OCTET = st.integers(0, 255)
ADDRESS = st.builds(Address, OCTET, OCTET, st.text(ASCII, max_size=20))
MESSAGE = st.builds(
    ShortMessage,
    ADDRESS,
    ADDRESS,
    st.binary(max_size=254),
    st.text(ASCII, max_size=5),
    OCTET,
    OCTET,
    OCTET,
    st.text(ASCII, max_size=16),
    st.text(ASCII, max_size=16),
    OCTET,
    OCTET,
    OCTET,
    OCTET,
    st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=300)), max_size=4).map(tuple),
)


@given(MESSAGE)
def test_a_message_is_read_as_it_was_written(message: ShortMessage) -> None:
    assert read_short_message(message.encode()) == message


@given(MESSAGE, st.integers(1, 0x7FFFFFFF))
def test_another_codec_reads_what_we_write(message: ShortMessage, sequence: int) -> None:
    read = smpp34.decode(frame(Command.SUBMIT_SM, sequence, message.encode()))
    assert isinstance(read, smpp34.SubmitSm)
    assert (read.sequence_number, read.short_message) == (sequence, message.text)
    assert (read.source_addr, read.source_addr_ton, read.source_addr_npi) == (
        message.source.value,
        message.source.ton,
        message.source.npi,
    )
    assert (read.destination_addr, read.esm_class) == (message.destination.value, message.esm_class)
    assert (read.data_coding, read.registered_delivery) == (message.data_coding, message.registered_delivery)
    assert (read.validity_period, read.service_type) == (message.validity, message.service_type)
    assert [(one.tag, one.value) for one in read.tlvs] == list(message.tlvs)


def test_we_read_what_another_codec_writes() -> None:
    octets = smpp34.DeliverSm(
        "380501234567",
        "4040",
        b"STOP",
        source_addr_ton=1,
        esm_class=4,
        tlvs=[smpp34.Tlv(0x1E, b"ab\0")],
        sequence_number=7,
    ).encode()
    (pdu,) = Frames().feed(octets)
    message = read_short_message(pdu.body)
    assert (pdu.command, pdu.sequence) == (Command.DELIVER_SM, 7)
    assert (message.source, message.text, message.tlv(0x1E)) == (
        Address(1, 0, "380501234567"),
        b"STOP",
        b"ab\0",
    )


@given(
    st.lists(st.tuples(OCTET, st.integers(1, 99), st.binary(max_size=90)), max_size=6),
    st.lists(st.integers(1, 40)),
)
def test_frames_are_found_however_the_stream_is_cut(
    sent: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    stream, frames, found = b"".join(frame(c, s, b) for c, s, b in sent), Frames(), []
    for cut in [*cuts, len(stream)]:
        found += list(frames.feed(stream[:cut]))
        stream = stream[cut:]
    assert found == [Pdu(command, 0, sequence, body) for command, sequence, body in sent]


@given(st.binary(max_size=400))
def test_garbage_is_refused_and_never_crashes(garbage: bytes) -> None:
    for read in (read_short_message, read_data_sm):
        with contextlib.suppress(Unreadable):
            read(garbage)
    with contextlib.suppress(Unreadable):
        list(Frames().feed(garbage))
    assert len(read_message_id(garbage)) <= 255


@pytest.mark.parametrize("length", [0, 15, LONGEST + 1, 0xFFFFFFFF])
def test_an_impossible_length_is_refused_before_anything_is_kept(length: int) -> None:
    with pytest.raises(Unreadable) as refused:
        list(Frames().feed(length.to_bytes(4)))
    assert refused.value.status == 0x02


def test_strings_have_their_longest() -> None:
    assert c_string("a" * 20, 21) == b"a" * 20 + b"\0"
    with pytest.raises(ValueError, match="at most 20"):
        c_string("a" * 21, 21)
    with pytest.raises(ValueError, match="NUL"):
        c_string("a\0b", 21)
    long = b"\0\1\1" + b"9" * 21 + b"\0" * 30
    with pytest.raises(Unreadable, match="within 21"):
        read_short_message(long)


def test_a_message_id_without_its_end_is_still_an_id() -> None:
    assert read_message_id(b"abc") == "abc"
    assert read_message_id(b"abc\0\0") == "abc"
    assert read_message_id(b"") == ""


def test_a_text_too_long_for_its_field_is_refused() -> None:
    with pytest.raises(ValueError, match="254"):
        ShortMessage(Address(), Address(), b"x" * 255).encode()
