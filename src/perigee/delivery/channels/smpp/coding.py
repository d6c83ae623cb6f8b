"""From a text to the parts that go over the air: alphabet, division, headers (reliability 23, protocols 2.11)."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, NamedTuple

from perigee.delivery.channels.smpp.pdu import Tag
from perigee.delivery.channels.smpp.settings import Alphabet, Concatenation
from perigee.lib import gsm

UCS2: Final = 0x08
HAS_HEADER: Final = 0x40
"""esm_class: the text begins with a user data header (5.2.12)."""

_PLAIN: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′ʼʹ`´", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t", " "),
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),
        "…": "...", "•": "*", "№": "No", "×": "x", "©": "(c)", "®": "(R)", "™": "TM",
    }
)  # fmt: skip


class Part(NamedTuple):
    """What differs between the submit_sm of one message."""

    text: bytes
    esm_class: int = 0
    tlvs: tuple[tuple[int, bytes], ...] = ()


class Coded(NamedTuple):
    data_coding: int
    parts: list[Part]


class References:
    """The number that tells the parts of one message from those of another to the same destination. It counts on per
    destination, so it comes again only after 256 (65,536) messages; the least recently used are forgotten."""

    def __init__(self, most: int = 100_000) -> None:
        self._last: OrderedDict[str, int] = OrderedDict()
        self._most = most

    def next(self, destination: str, first: int) -> int:
        """`first` for a destination not seen before: different for different messages, so that several processes
        hardly ever choose the same one for the same destination."""
        number = self._last.pop(destination, first - 1) + 1
        self._last[destination] = number
        if len(self._last) > self._most:
            self._last.popitem(last=False)
        return number & 0xFFFF


def plain(text: str) -> str:
    """Typographic signs replaced, when the text fits the GSM alphabet then; else the text as it is."""
    if gsm.is_gsm(text):
        return text
    replaced = text.translate(_PLAIN)
    return replaced if gsm.is_gsm(replaced) else text


def encode(text: str, alphabet: Alphabet, concatenation: Concatenation, reference: int) -> Coded:
    """The parts of a text, in order; what was typed is what arrives. An empty text is one empty part."""
    coding: gsm.Coding = "gsm7" if gsm.is_gsm(text) and _fits(text, alphabet) else "ucs2"
    data_coding = 0 if coding == "gsm7" else UCS2
    if concatenation is Concatenation.PAYLOAD:
        octets = _octets(text, coding, alphabet)
        if gsm.count(text, coding=coding).parts > 1:
            return Coded(data_coding, [Part(b"", tlvs=((Tag.MESSAGE_PAYLOAD, octets),))])
        return Coded(data_coding, [Part(octets)])
    wide = concatenation is Concatenation.UDH16
    texts = gsm.split(text, wide=wide, coding=coding) or [""]
    octets_of = [_octets(one, coding, alphabet) for one in texts]
    if len(texts) == 1:
        return Coded(data_coding, [Part(octets_of[0])])
    total = len(texts)
    if total > 255:
        raise ValueError(f"{total} parts, at most 255 can be numbered")
    parts = [
        _part(octets, concatenation, reference, total, number) for number, octets in enumerate(octets_of, 1)
    ]
    return Coded(data_coding, parts)


def _part(octets: bytes, concatenation: Concatenation, reference: int, total: int, number: int) -> Part:
    if concatenation is Concatenation.SAR:
        tlvs = (
            (Tag.SAR_MSG_REF_NUM, reference.to_bytes(2)),
            (Tag.SAR_TOTAL_SEGMENTS, bytes((total,))),
            (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
        )
        return Part(octets, tlvs=tlvs)
    if concatenation is Concatenation.UDH16:
        header = bytes((6, 8, 4)) + reference.to_bytes(2) + bytes((total, number))
    else:
        header = bytes((5, 0, 3, reference & 0xFF, total, number))
    return Part(header + octets, HAS_HEADER)


def decode(octets: bytes, data_coding: int, alphabet: Alphabet, *, has_header: bool) -> str:
    """The text of an inbound message; a header before it is passed over. Never fails: what cannot be read shows as
    U+FFFD."""
    if has_header and octets:
        octets = octets[1 + octets[0] :]
    if data_coding == UCS2:
        return octets.decode("utf-16-be", "replace")
    if data_coding == 0 and alphabet is Alphabet.GSM:
        return gsm.decode_gsm7(octets)
    return octets.decode("latin-1")


def _fits(text: str, alphabet: Alphabet) -> bool:
    if alphabet is Alphabet.GSM:
        return True
    try:
        text.encode(alphabet)
    except UnicodeEncodeError:
        return False
    return True


def _octets(text: str, coding: gsm.Coding, alphabet: Alphabet) -> bytes:
    if coding == "ucs2":
        return gsm.encode_ucs2(text)
    return gsm.encode_gsm7(text) if alphabet is Alphabet.GSM else text.encode(alphabet)
