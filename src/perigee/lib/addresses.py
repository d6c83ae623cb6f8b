"""Email addresses and phone numbers: their normal forms, by which an organisation tells addresses apart.

Email (RFC 5321, 5322 dot-atom, 6531): trimmed, in lower case, the domain as A-labels; at most 254 octets, 64 before
the `@`. `lower()` rather than full case folding, which would make `ß` and `ss` one mailbox. A domain needs a dot and
a top level that is not a number; reserved names such as `.test` pass. Quoted local parts and address literals do not.

Phone (E.164): digits only, a known country calling code, 7 to 15 digits. Whether the number is in service or in
an assigned range is not asked, so numbers reserved for fiction pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import idna
from email_validator import EmailNotValidError, validate_email

from perigee.errors import Invalid

MAX_EMAIL, MAX_LOCAL = 254, 64

_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])"
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+"
_ASCII_EMAIL = re.compile(f"{_LOCAL}@{_DOMAIN}")
_ASCII_DOMAIN = re.compile(_DOMAIN)
_INVISIBLE_ENDS = " \t\r\n\u00a0\u200b\u2060\ufeff"

# Country calling codes in use (ITU-T E.164); a test compares them with the tables of `phonenumbers`, whose
# import would cost every process 100 ms.
CALLING_CODES = frozenset(
    (  # noqa: SIM905  (a list would be 200 lines)
        "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 "
        "64 65 66 81 82 84 86 90 91 92 93 94 95 98 211 212 213 216 218 220 221 222 223 224 225 226 227 "
        "228 229 230 231 232 233 234 235 236 237 238 239 240 241 242 243 244 245 246 247 248 249 250 251 "
        "252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291 297 298 299 350 351 "
        "352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 "
        "389 420 421 423 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599 "
        "670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 800 808 850 "
        "852 853 855 856 870 878 880 881 882 883 886 888 960 961 962 963 964 965 966 967 968 970 971 972 "
        "973 974 975 976 977 979 992 993 994 995 996 998"
    ).split()
)
_E164 = re.compile(f"(?={'|'.join(sorted(CALLING_CODES))})[0-9]{{7,15}}")
_DIALLED = re.compile(r"\(?\+?[0-9 ()./\-]{7,40}")
_SPACES_AND_DASHES = dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2009\u202f"), " ") | dict.fromkeys(
    map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-"
)
_PUNCTUATION = str.maketrans("", "", "+ ()./-")


class Email(NamedTuple):
    """`normal` is the identity. `spelling` is how to write to it, when its owner spells it otherwise, else None."""

    normal: str
    spelling: str | None


def normal_email(text: str) -> str | None:
    """The normal form of an address; None when it is not one."""
    text = text.strip()
    if len(text) > MAX_EMAIL:
        return None
    if _ASCII_EMAIL.fullmatch(text) and text.index("@") <= MAX_LOCAL:
        normal = text.lower()
        if "xn--" not in normal:
            return normal
    elif text.isascii():
        return None
    spelling = _unusual(text)
    return None if spelling is None else _lower(spelling)


def parse_email(text: str) -> Email | None:
    """The normal form and, where it differs, the spelling (local part as written, domain in normal form)."""
    normal = normal_email(text)
    if normal is None:
        return None
    text = text.strip()
    if text.isascii():
        spelling = text[: text.index("@")] + normal[normal.index("@") :]
    else:
        spelling = _unusual(text) or normal
    return Email(normal, None if spelling == normal else spelling)


def normal_emails(column: Iterable[str | None]) -> list[str | None]:
    """`normal_email` over a column; None stays None."""
    return [None if text is None else normal_email(text) for text in column]


def parse_emails(column: Iterable[str | None]) -> tuple[list[str | None], list[str | None]]:
    """Two columns, normal forms and differing spellings, of a column of addresses."""
    texts = list(column)
    normals = normal_emails(texts)
    spellings = [
        parsed.spelling
        if text is not None and text != normal and normal is not None and (parsed := parse_email(text))
        else None
        for text, normal in zip(texts, normals, strict=True)
    ]
    return normals, spellings


def normal_domain(text: str) -> str | None:
    """A mail or host domain with at least one dot, in lower case and A-labels; None when it is not one."""
    text = text.strip()
    if len(text) <= 253 and _ASCII_DOMAIN.fullmatch(text) and "xn--" not in (lowered := text.lower()):
        return lowered
    return _ascii_domain(text) if 0 < len(text) <= 253 else None


@lru_cache(maxsize=4096)
def _ascii_domain(text: str) -> str | None:
    """UTS 46 and IDNA 2008; cached, since the domains of a batch are few."""
    try:
        domain = idna.encode(text, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return None
    return domain if len(domain) <= 253 and _ASCII_DOMAIN.fullmatch(domain) else None


def normal_phone(text: str) -> str | None:
    """The digits of an international number; None when it is not one.

    `+`, a leading `00`, spaces, dashes, dots, slashes, parentheses and the `(0)` of "+44 (0)20" are taken off.
    """
    if _E164.fullmatch(text):
        return text
    written = text.translate(_SPACES_AND_DASHES).strip()
    if not _DIALLED.fullmatch(written):
        return None
    if written.startswith(("+", "00")):
        written = written.removeprefix("00").replace("(0)", "", 1)
    digits = written.translate(_PUNCTUATION)
    return digits if _E164.fullmatch(digits) else None


def normal_phones(column: Iterable[str | None]) -> list[str | None]:
    """`normal_phone` over a column; None stays None."""
    return [None if text is None else normal_phone(text) for text in column]


def not_email(value: str, field: str | None = None) -> Invalid:
    """The refusal of an address in the words of the wire (contract 10.1 and 19)."""
    return Invalid(f"'{_shown(value)}' is not valid email", field=field, value=value)


def not_phone(value: str, field: str | None = None) -> Invalid:
    """The refusal of a number in the words of the wire."""
    return Invalid(f"'{_shown(value)}' is not valid phone number", field=field, value=value)


def _shown(value: str) -> str:
    return value if len(value) <= 80 else value[:77] + "..."


def _unusual(text: str) -> str | None:
    """Spelling of an address with letters beyond ASCII or an A-label: local part NFC, domain normal."""
    local, at, written = text.strip(_INVISIBLE_ENDS).rpartition("@")
    if not at or len(text) > MAX_EMAIL:
        return None
    domain = normal_domain(written)
    if domain is None:
        return None
    try:
        local = validate_email(f"{local}@example.com", check_deliverability=False).local_part
    except EmailNotValidError:
        return None
    spelling = f"{unicodedata.normalize('NFC', local)}@{domain}"
    octets = len(spelling.encode())
    return spelling if octets <= MAX_EMAIL and octets - len(domain) - 1 <= MAX_LOCAL else None


def _lower(spelling: str) -> str | None:
    """Lower case can decompose or grow a letter, so the result is measured again."""
    normal = unicodedata.normalize("NFC", spelling.lower())
    return (
        normal
        if len(normal.encode()) <= MAX_EMAIL and len(normal.rpartition("@")[0].encode()) <= MAX_LOCAL
        else None
    )
