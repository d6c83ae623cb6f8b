"""Receipts in the forms that operators send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channel import EventType, Reason
from perigee.delivery.channels.smpp.pdu import Address, ShortMessage, Tag
from perigee.delivery.channels.smpp.receipts import is_receipt, normal_id, read_receipt
from perigee.delivery.channels.smpp.settings import MessageIds

AS_IS = MessageIds.AS_IS


def receipt(text: bytes, **tlvs: bytes) -> ShortMessage:
    found = tuple((Tag[name], value) for name, value in tlvs.items())
    return ShortMessage(Address(1, 1, "380501234567"), Address(5, 0, "Shop"), text, esm_class=4, tlvs=found)


@pytest.mark.parametrize(
    ("text", "message_id", "type_", "error"),
    [
        (
            b"id:0123456789 sub:001 dlvrd:001 submit date:2411261200 done date:2411261201 stat:DELIVRD err:000 text:Hi",
            "0123456789",
            EventType.DELIVERED,
            "000",
        ),
        (b"id: 7f-A2 stat: UNDELIV err: 0x1", "7f-A2", EventType.BOUNCED, "0x1"),
        (b"ID:55 STAT:EXPIRED ERR:4", "55", EventType.BOUNCED, "4"),
        (b"msgid=1;id=abc;status=Delivered;error=0", "abc", EventType.DELIVERED, "0"),
        (b"id:9 stat:REJECTD", "9", EventType.BOUNCED, ""),
        (b"id:9 stat:ACCEPTD", "9", EventType.ACCEPTED, ""),
        (b"id:9 stat:ENROUTE", "9", EventType.ACCEPTED, ""),
        (b"id:9 stat:UNKNOWN", "9", None, ""),
        (b"your message was delivered", None, None, ""),
        (b"", None, None, ""),
    ],
)
def test_texts_of_receipts(text: bytes, message_id: str | None, type_: EventType | None, error: str) -> None:
    read = read_receipt(receipt(text), AS_IS)
    assert (read.message_id, read.type, read.error) == (message_id, type_, error)
    assert read.raw == text.decode()


def test_parameters_come_before_the_text() -> None:
    read = read_receipt(
        receipt(b"id:wrong stat:UNDELIV", RECEIPTED_MESSAGE_ID=b"right\0", MESSAGE_STATE=b"\x02"), AS_IS
    )
    assert (read.message_id, read.type, read.reason) == ("right", EventType.DELIVERED, None)


def test_parameters_are_enough() -> None:
    read = read_receipt(
        receipt(b"", RECEIPTED_MESSAGE_ID=b"77", MESSAGE_STATE=b"\x05", NETWORK_ERROR_CODE=b"\x03\x00\x1b"),
        AS_IS,
    )
    assert (read.message_id, read.type, read.reason) == (
        "77",
        EventType.BOUNCED,
        Reason.DESTINATION_REFUSED,
    )
    assert (read.error, read.words) == ("27", "UNDELIV 27")


def test_a_state_out_of_range_leaves_it_to_the_text() -> None:
    read = read_receipt(receipt(b"id:1 stat:DELIVRD", MESSAGE_STATE=b"\x63"), AS_IS)
    assert read.type is EventType.DELIVERED


def test_a_receipt_is_told_by_its_class_or_its_parameter() -> None:
    assert is_receipt(receipt(b""))
    plain = ShortMessage(Address(), Address(), b"id:1 stat:DELIVRD")
    assert not is_receipt(plain)
    assert is_receipt(ShortMessage(Address(), Address(), tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"1"),)))
    assert not is_receipt(ShortMessage(Address(), Address(), esm_class=0x08))  # delivery acknowledgement


@pytest.mark.parametrize(
    ("ids", "answer", "in_receipt"),
    [
        (MessageIds.AS_IS, "00aF", "00aF"),
        (MessageIds.HEX_TO_DEC, "0001E240", "123456"),
        (MessageIds.HEX_TO_DEC, "1e240", "0000123456"),
        (MessageIds.DEC_TO_HEX, "123456", "1E240"),
        (MessageIds.DEC_TO_HEX, "0000123456", "0001e240"),
        (MessageIds.NO_ZEROS, "00123", "123"),
        (MessageIds.NO_ZEROS, "000", "000"),
        (MessageIds.HEX_TO_DEC, "a-b", "a-b"),  # no number: as it is
        (MessageIds.AS_IS, " 12 ", "12"),
    ],
)
def test_ids_of_answers_and_receipts_are_compared_in_one_form(
    ids: MessageIds, answer: str, in_receipt: str
) -> None:
    assert normal_id(answer, ids, answer=True) == normal_id(in_receipt, ids, answer=False)


def test_ids_that_differ_stay_different() -> None:
    assert normal_id("00aF", AS_IS, answer=True) != normal_id("aF", AS_IS, answer=False)
    assert normal_id("10", MessageIds.HEX_TO_DEC, answer=True) != normal_id(
        "10", MessageIds.HEX_TO_DEC, answer=False
    )


@given(
    st.binary(max_size=250),
    st.binary(max_size=70),
    st.binary(max_size=3),
    st.sampled_from(MessageIds),
)
def test_whatever_comes_is_read(text: bytes, message_id: bytes, state: bytes, ids: MessageIds) -> None:
    read = read_receipt(
        receipt(text, RECEIPTED_MESSAGE_ID=message_id, MESSAGE_STATE=state, NETWORK_ERROR_CODE=state), ids
    )
    assert len(read.raw) <= 300
    assert all(char.isprintable() or char == "\xa0" or char == "\xad" for char in read.raw)


@given(st.text(st.sampled_from("id:stauserrDELIVRD 0123456789abc=;,\n"), max_size=120))
def test_texts_near_receipts_are_read(text: str) -> None:
    read = read_receipt(receipt(text.encode()), MessageIds.HEX_TO_DEC)
    assert read.message_id is None or read.message_id
