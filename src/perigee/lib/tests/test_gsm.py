import itertools

import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib import gsm
from perigee.lib.gsm import SmsSize

ORACLE = gsm0338.Codec()
BASIC = "".join(c for c in gsm._BASIC if c != "\x1b")
EXTENDED = "^{}\\[~]|€\f"
GSM_TEXT = st.text(st.sampled_from(BASIC + EXTENDED * 8), max_size=700)
WIDE_TEXT = st.text(st.sampled_from("яїa😀👩\U0010ffff") | st.characters(codec="utf-8"), max_size=300)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", SmsSize("gsm7", 0, 0)),
        ("Code 1234", SmsSize("gsm7", 9, 1)),
        ("a" * 160, SmsSize("gsm7", 160, 1)),
        ("a" * 161, SmsSize("gsm7", 161, 2)),
        ("a" * 306, SmsSize("gsm7", 306, 2)),
        ("a" * 307, SmsSize("gsm7", 307, 3)),
        ("€" * 80, SmsSize("gsm7", 160, 1)),
        ("€" * 81, SmsSize("gsm7", 162, 2)),
        ("€" * 153, SmsSize("gsm7", 306, 3)),  # 76 pairs to a part: 153 is odd
        ("a" + "€" * 152, SmsSize("gsm7", 305, 2)),
        ("`", SmsSize("ucs2", 1, 1)),
        ("Привіт", SmsSize("ucs2", 6, 1)),
        ("я" * 70, SmsSize("ucs2", 70, 1)),
        ("я" * 71, SmsSize("ucs2", 71, 2)),
        ("я" * 134, SmsSize("ucs2", 134, 2)),
        ("😀" * 35, SmsSize("ucs2", 70, 1)),
        ("😀" * 67, SmsSize("ucs2", 134, 3)),  # 33 pairs to a part: 67 is odd
        ("a" * 69 + "😀", SmsSize("ucs2", 71, 2)),
        ("§ Ç ß", SmsSize("gsm7", 5, 1)),
        ("ç", SmsSize("ucs2", 1, 1)),
    ],
)
def test_size(text: str, size: SmsSize) -> None:
    assert gsm.count(text) == size


def test_wide_references_leave_less_room() -> None:
    assert gsm.count("a" * 306, wide=True).parts == 3
    assert gsm.count("я" * 134, wide=True).parts == 3
    assert [len(p) for p in gsm.split("a" * 306, wide=True)] == [152, 152, 2]


@given(GSM_TEXT)
def test_gsm_coding_equals_the_oracle(text: str) -> None:
    septets = gsm.encode_gsm7(text)
    assert septets == ORACLE.encode(text)[0]
    assert gsm.decode_gsm7(septets) == text == ORACLE.decode(septets)[0]
    assert gsm.count(text).units == len(septets)


def test_the_alphabet_is_the_oracles() -> None:
    def known(char: str) -> bool:
        try:
            ORACLE.encode(char)
        except UnicodeError:
            return False
        return True

    assert {c for c in map(chr, range(0x3000)) if gsm.is_gsm(c)} == {
        c for c in map(chr, range(0x3000)) if known(c) and c != "\x1b"
    }


def octets(text: str, coding: str) -> int:
    return len(gsm.encode_gsm7(text)) if coding == "gsm7" else len(gsm.encode_ucs2(text)) // 2


@given(GSM_TEXT | WIDE_TEXT, st.booleans())
def test_parts_rejoin_fit_and_are_counted(text: str, wide: bool) -> None:
    size, parts = gsm.count(text, wide=wide), gsm.split(text, wide=wide)
    assert "".join(parts) == text
    assert len(parts) == size.parts
    assert size.units == octets(text, size.coding)
    limit = gsm.part_limit(size.coding, wide=wide) if len(parts) > 1 else gsm.single_limit(size.coding)
    assert all(0 < octets(part, size.coding) <= limit for part in parts)
    for part, following in itertools.pairwise(parts):  # nothing is wasted
        assert octets(part + following[0], size.coding) > limit


@given(WIDE_TEXT)
def test_ucs2_parts_are_whole_characters(text: str) -> None:
    encoded = [gsm.encode_ucs2(part) for part in gsm.split("ї" + text)]
    assert "".join(part.decode("utf-16-be") for part in encoded) == "ї" + text


@given(st.binary(max_size=200))
def test_any_septets_can_be_read(septets: bytes) -> None:
    text = gsm.decode_gsm7(septets)
    assert gsm.is_gsm(text)


def test_unknown_escapes() -> None:
    assert gsm.decode_gsm7(b"\x1ba\x1b\x1bb\x1b") == "a b "
    assert gsm.decode_gsm7(b"\x1be") == "€"


def test_text_outside_the_alphabet_is_refused() -> None:
    with pytest.raises(ValueError, match="'я' is not in the GSM alphabet"):
        gsm.encode_gsm7("aя")
    with pytest.raises(ValueError, match="x1b"):
        gsm.encode_gsm7("\x1b")
    assert gsm.encode_ucs2("\ud800a") == "\ufffda".encode("utf-16-be")
