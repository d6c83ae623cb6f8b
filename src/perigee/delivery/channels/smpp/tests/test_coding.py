"""Every part right: alphabets, limits, headers; what the parts say together is the text."""

from __future__ import annotations

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channels.smpp.coding import Coded, References, decode, encode, plain
from perigee.delivery.channels.smpp.settings import Alphabet, Concatenation

GSM, LATIN1, ASCII = Alphabet.GSM, Alphabet.LATIN1, Alphabet.ASCII
UDH, UDH16, SAR, PAYLOAD = Concatenation.UDH, Concatenation.UDH16, Concatenation.SAR, Concatenation.PAYLOAD
TEXT = st.text(st.sampled_from("ab€[]{}^~|\\@£Ω é") | st.sampled_from("яї😀👩"), max_size=900)
LATIN = st.text(st.sampled_from("ab[]€@£é à"), max_size=900)
HEADER = {UDH: 6, UDH16: 7, SAR: 0}


def text_of(coded: Coded, alphabet: Alphabet, header: int) -> str:
    """What a handset shows, by another decoder than ours."""
    octets = [part.text[header if len(coded.parts) > 1 else 0 :] for part in coded.parts]
    if coded.data_coding == 8:
        return "".join(part.decode("utf-16-be") for part in octets)  # strict: no pair was cut
    if alphabet is GSM:
        assert not any(part.endswith(b"\x1b") for part in octets), "an escape was cut"
        return "".join(gsm0338.Codec().decode(part)[0] for part in octets)
    return "".join(part.decode(alphabet) for part in octets)


@given(TEXT | LATIN, st.sampled_from(Alphabet), st.sampled_from([UDH, UDH16, SAR]))
def test_the_parts_together_are_the_text_and_each_fits(
    text: str, alphabet: Alphabet, concatenation: Concatenation
) -> None:
    coded = encode(text, alphabet, concatenation, 513)
    assert text_of(coded, alphabet, HEADER[concatenation]) == text
    wide = concatenation is UDH16
    for part in coded.parts:
        body = part.text[HEADER[concatenation] if len(coded.parts) > 1 else 0 :]
        if coded.data_coding == 8:
            assert len(body) // 2 <= ((66 if wide else 67) if len(coded.parts) > 1 else 70)
        else:
            shown = body.decode(alphabet) if alphabet is not GSM else ""
            septets = len(body) + (sum(map(shown.count, "^{}\\[~]|")) if shown else 0)
            assert septets <= ((152 if wide else 153) if len(coded.parts) > 1 else 160)


@given(TEXT)
def test_the_operator_may_divide(text: str) -> None:
    coded = encode(text, GSM, PAYLOAD, 1)
    (part,) = coded.parts
    octets = part.tlvs[0][1] if part.tlvs else part.text
    assert text_of(Coded(coded.data_coding, [part._replace(text=octets)]), GSM, 0) == text
    assert bool(part.tlvs) is not bool(part.text) or not text


def test_parts_are_numbered_in_their_header() -> None:
    coded = encode("a" * 300, GSM, UDH, 0x1FF)
    assert [part.text[:6] for part in coded.parts] == [bytes((5, 0, 3, 0xFF, 2, n)) for n in (1, 2)]
    assert {part.esm_class for part in coded.parts} == {0x40}
    wide = encode("a" * 305, GSM, UDH16, 0x1FF)
    assert [part.text[:7] for part in wide.parts] == [bytes((6, 8, 4, 1, 0xFF, 3, n)) for n in (1, 2, 3)]


def test_parts_are_numbered_beside_the_text() -> None:
    coded = encode("a" * 300, GSM, SAR, 0x1FF)
    assert [dict(part.tlvs) for part in coded.parts] == [
        {0x20C: b"\x01\xff", 0x20E: b"\x02", 0x20F: bytes((n,))} for n in (1, 2)
    ]
    assert [len(part.text) for part in coded.parts] == [153, 147]


@pytest.mark.parametrize(
    ("text", "alphabet", "octets", "data_coding"),
    [
        ("a@€", GSM, b"a\x00\x1be", 0),
        ("a@é", LATIN1, b"a@\xe9", 0),
        ("a€", LATIN1, "a€".encode("utf-16-be"), 8),  # not in Latin-1
        ("é", ASCII, "é".encode("utf-16-be"), 8),
        ("ç", LATIN1, "ç".encode("utf-16-be"), 8),  # in Latin-1, not in the handset's alphabet
        ("Привіт", GSM, "Привіт".encode("utf-16-be"), 8),
    ],
)
def test_data_coding_0_is_what_the_operator_says(
    text: str, alphabet: Alphabet, octets: bytes, data_coding: int
) -> None:
    coded = encode(text, alphabet, UDH, 1)
    assert (coded.data_coding, [part.text for part in coded.parts]) == (data_coding, [octets])


def test_more_parts_than_can_be_numbered_are_refused() -> None:
    assert len(encode("a" * 153 * 255, GSM, UDH, 1).parts) == 255
    with pytest.raises(ValueError, match="256 parts"):
        encode("a" * (153 * 255 + 1), GSM, UDH, 1)


def test_typographic_signs_do_not_double_the_price() -> None:
    assert plain("“It’s” – 5\u00a0€…") == '"It\'s" - 5 €...'
    assert plain("«Знижка» – 5\u00a0%") == "«Знижка» – 5\u00a0%"  # wide anyway: nothing is taken from it
    assert plain("[it's]") == "[it's]"


def test_references_count_per_destination() -> None:
    references = References(most=2)
    assert [references.next("1", 70) for _ in range(3)] == [70, 71, 72]
    assert references.next("2", 65_535) == 65_535
    assert references.next("2", 0) == 0  # round
    assert references.next("1", 0) == 73
    references.next("3", 5)  # the least recently used is forgotten
    assert references.next("2", 9) == 9


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(Alphabet), st.booleans())
def test_reading_never_fails(octets: bytes, coding: int, alphabet: Alphabet, has_header: bool) -> None:
    decode(octets, coding, alphabet, has_header=has_header)


def test_inbound_texts_are_read() -> None:
    assert decode("СТОП".encode("utf-16-be"), 8, GSM, has_header=False) == "СТОП"
    assert decode(b"\x05\x00\x03\x01\x02\x01STOP", 0, GSM, has_header=True) == "STOP"
    assert decode(b"\x00\xe9", 0, LATIN1, has_header=False) == "\0é"
