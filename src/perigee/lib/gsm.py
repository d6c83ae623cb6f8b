"""The alphabet and the size of SMS: GSM 03.38 (3GPP TS 23.038) and UCS-2 (reliability 23, protocols 2.11).

Text that the GSM alphabet has goes as septets: 160 in a single message, 153 in each part of a longer one. All other
text goes as UTF-16: 70 and 67 units. `^ { } \\ [ ~ ] | €` and the form feed take two septets, letters outside the
basic plane two units; neither pair is ever cut in two. With a 16-bit reference in the header (`wide`) a part holds
152 septets or 66 units.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

Coding = Literal["gsm7", "ucs2"]

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = {
    0x0A: "\f", 0x14: "^", 0x28: "{", 0x29: "}", 0x2F: "\\", 0x3C: "[", 0x3D: "~", 0x3E: "]", 0x40: "|", 0x65: "€",
}  # fmt: skip
ESCAPE = 0x1B

_ENCODE = {char: bytes([code]) for code, char in enumerate(_BASIC) if code != ESCAPE}
_ENCODE |= {char: bytes([ESCAPE, code]) for code, char in _EXTENDED.items()}
_SINGLE = str.maketrans({char: chr(code[0]) for char, code in _ENCODE.items() if len(code) == 1})

_IS_GSM = re.compile("[" + re.escape("".join(_ENCODE)) + "]*")
_PAIRS = re.compile("[" + re.escape("".join(_EXTENDED.values())) + "]")
_WIDE = re.compile("[\U00010000-\U0010ffff]")


class SmsSize(NamedTuple):
    """How a text is sent: its coding, its length in septets or 16-bit units, and how many parts are billed."""

    coding: Coding
    units: int
    parts: int


def is_gsm(text: str) -> bool:
    """Whether every character is in the GSM alphabet (basic or extended)."""
    return _IS_GSM.fullmatch(text) is not None


def count(text: str, *, wide: bool = False, coding: Coding | None = None) -> SmsSize:
    """Coding, units and parts of a text; an empty text has no part. A lone surrogate counts one unit. `coding` where
    it is not the text that decides: of an operator without all the letters of the alphabet."""
    coding = coding or ("gsm7" if is_gsm(text) else "ucs2")
    doubles = _PAIRS if coding == "gsm7" else _WIDE
    units = len(text) + len(doubles.findall(text))
    if not units:
        return SmsSize(coding, 0, 0)
    if units <= single_limit(coding):
        return SmsSize(coding, units, 1)
    return SmsSize(coding, units, len(_cut(text, part_limit(coding, wide=wide), doubles)))


def split(text: str, *, wide: bool = False, coding: Coding | None = None) -> list[str]:
    """The texts of the parts, in order; joined they are the text, and each fits its part."""
    size = count(text, wide=wide, coding=coding)
    if size.parts <= 1:
        return [text] if text else []
    return _cut(text, part_limit(size.coding, wide=wide), _PAIRS if size.coding == "gsm7" else _WIDE)


def single_limit(coding: Coding) -> int:
    """Units of a message that is not divided."""
    return 160 if coding == "gsm7" else 70


def part_limit(coding: Coding, *, wide: bool = False) -> int:
    """Units of each part of a divided message."""
    return (153 if coding == "gsm7" else 67) - wide


def encode_gsm7(text: str) -> bytes:
    """Septets, one to a byte (not packed), as SMPP carries them. ValueError for text outside the alphabet."""
    if _IS_GSM.fullmatch(text) is None:
        char = next(char for char in text if char not in _ENCODE)
        raise ValueError(f"{char!r} is not in the GSM alphabet")
    if _PAIRS.search(text) is None:
        return text.translate(_SINGLE).encode("ascii")
    return b"".join([_ENCODE[char] for char in text])


def decode_gsm7(septets: bytes) -> str:
    """Text of unpacked septets. As TS 23.038 asks, an unknown escape shows the basic character, a lone one a space."""
    codes = [octet & 0x7F for octet in septets]
    if ESCAPE not in codes:
        return "".join([_BASIC[code] for code in codes])
    found, rest = [], iter(codes)
    for code in rest:
        if code != ESCAPE:
            found.append(_BASIC[code])
            continue
        extended = next(rest, ESCAPE)
        found.append(_EXTENDED.get(extended, " " if extended == ESCAPE else _BASIC[extended]))
    return "".join(found)


def encode_ucs2(text: str) -> bytes:
    """UTF-16, big endian, no byte order mark; a lone surrogate becomes U+FFFD."""
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace").encode("utf-16-be")


def _cut(text: str, limit: int, doubles: re.Pattern[str]) -> list[str]:
    parts, start = [], 0
    while start < len(text):
        end = min(start + limit, len(text))
        over = end - start + len(doubles.findall(text, start, end)) - limit
        while over > 0:  # give characters back, two units for a pair, until the part fits
            end -= 1
            over -= 2 if doubles.match(text, end) else 1
        parts.append(text[start:end])
        start = end
    return parts
