"""Bytes of email: headers, quoted-printable and multipart frames (RFC 5322, 2045–2047, 5890).

Python's own generator is not used for what we send: it folds `List-Unsubscribe` into an encoded word and is two
orders of magnitude too slow. It is the oracle of the tests instead.

Everything here gives ASCII text with CRLF line ends. Body lines are at most 76 characters and **no line ever
begins with a dot** (nor with `From `), so the stream needs no dot-stuffing; the SMTP client may still scan.
Nothing here knows what a header is *for*; control characters never come through.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from email.utils import formatdate
from functools import lru_cache

import idna

from perigee.errors import Invalid
from perigee.lib.text import REPLACEMENT, clean, is_header_safe

LINE = 76
"""Longest line of a quoted-printable body, the `=` of a soft break included (RFC 2045 6.7)."""
HARD_LINE = 998
"""Longest line of any kind (RFC 5322 2.1.1)."""
SOFT_BREAK = "=\r\n"

# ---- quoted-printable -------------------------------------------------------------------------------------

_QUOTED = {code: f"={code:02X}" for code in range(256) if not (32 <= code < 127) or code == 61}
# What needs no change wherever it stands: short, ASCII, no "=", no dot in front, no blank behind.
_PLAIN = re.compile(r"(?!From |\.)[ -<>-~]{0,74}[!-<>-~]")
_NEWLINE = re.compile(r"\r\n|\r|\n")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


def quoted_printable(text: str) -> str:
    """Text as quoted-printable that begins in column 0 and ends without a line break.

    Pieces encoded one by one can be joined with `SOFT_BREAK` between them: decoded, that is plain concatenation.
    CR, LF and CRLF all become CRLF, so a piece must not be cut between a CR and its LF.
    """
    if _PLAIN.fullmatch(text):
        return text
    lines: list[str] = []
    for line in _NEWLINE.split(text):
        _wrap(_quote(line), lines)
    return "\r\n".join(lines)


def without_surrogates(text: str) -> str:
    """Text that UTF-8 can carry: lone surrogates become U+FFFD."""
    return text if text.isascii() or not _SURROGATES.search(text) else _SURROGATES.sub(REPLACEMENT, text)


def _quote(line: str) -> str:
    quoted = without_surrogates(line).encode().decode("latin-1").translate(_QUOTED)
    return quoted[:-1] + "=20" if quoted.endswith(" ") else quoted


def _wrap(quoted: str, lines: list[str]) -> None:
    """Soft breaks, each line guarded at its start. 75 characters and `=`, even for the last line of a piece."""
    start, end = 0, len(quoted)
    while True:
        head = ""
        if quoted.startswith((".", "From "), start):
            head, start = f"={ord(quoted[start]):02X}", start + 1
        stop = start + LINE - 1 - len(head)
        if stop >= end:
            lines.append(head + quoted[start:])
            return
        cut = quoted.rfind("=", stop - 2, stop)
        if cut >= 0:
            stop = cut
        lines.append(head + quoted[start:stop] + "=")
        start = stop


# ---- headers ----------------------------------------------------------------------------------------------

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ONE_LINE = re.compile(r"[!-~]+(?: [!-~]+)*")
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?"
)
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@[A-Za-z0-9.-]+")
_Q_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_WORD_FRAME = len("=?utf-8?B??=")


def unstructured(name: str, text: str) -> str:
    """A whole header line, CRLF included, of free text (Subject): plain ASCII where that is exact, else RFC 2047.

    Control characters and line breaks in `text` are taken out (`lib.text.clean`).
    """
    text = clean(text)
    if "=?" not in text and _ONE_LINE.fullmatch(text):
        folded = _fold(f"{name}: ", text)
        if folded is not None:
            return folded
    if not text:
        return f"{name}: \r\n"
    return f"{name}: " + "\r\n ".join(encoded_words(text, used=len(name) + 2)) + "\r\n"


def _fold(start: str, text: str) -> str | None:
    """ASCII text folded at its spaces; None when one word is too long for a line of 78."""
    if len(start) + len(text) <= 78:
        return f"{start}{text}\r\n"
    lines, line = [], start
    for number, word in enumerate(text.split(" ")):
        if len(word) > 60:
            return None
        if number and len(line) + 1 + len(word) > 78:
            lines.append(line)
            line = " " + word
        else:
            line += f" {word}" if number else word
    return "\r\n".join([*lines, line]) + "\r\n"


def encoded_words(text: str, *, used: int = 0) -> list[str]:
    """Text as RFC 2047 encoded words, each at most 75 characters, cut between characters.

    `used`: columns taken on the first line. Q or B, whichever is shorter for the whole. Safe in a phrase.
    """
    text = without_surrogates(text)
    data = text.encode()
    quoted = sum(1 if byte in _Q_SAFE or byte == 32 else 3 for byte in data)
    words, chunk, size = [], bytearray(), 0
    as_q = quoted <= (len(data) + 2) // 3 * 4
    room = LINE - max(used, 1) - _WORD_FRAME
    for character in text:
        encoded = character.encode()
        cost = sum(1 if byte in _Q_SAFE or byte == 32 else 3 for byte in encoded) if as_q else len(encoded)
        if chunk and (size + cost > room if as_q else (size + cost + 2) // 3 * 4 > room):
            words.append(_word(bytes(chunk), as_q))
            chunk, size, room = bytearray(), 0, LINE - 1 - _WORD_FRAME
        chunk += encoded
        size += cost
    words.append(_word(bytes(chunk), as_q))
    return words


def _word(data: bytes, as_q: bool) -> str:
    if not as_q:
        return f"=?utf-8?B?{b64encode(data).decode()}?="
    text = "".join("_" if b == 32 else chr(b) if b in _Q_SAFE else f"={b:02X}" for b in data)
    return f"=?utf-8?Q?{text}?="


def phrase(text: str, *, used: int = 0) -> str:
    """A display name: atoms as they are, other ASCII as a quoted string, the rest as encoded words (may fold)."""
    text = clean(text).strip()
    if not text or (len(text) <= 60 and _ATOMS.fullmatch(text) and "=?" not in text):
        return text
    if len(text) <= 60 and text.isascii() and "=?" not in text:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "\r\n ".join(encoded_words(text, used=used))


def address_header(name: str, display: str, address: str) -> str:
    """`From`, `To` or `Reply-To` with exactly one mailbox; the address never holds an encoded word."""
    spec = addr_spec(address)
    shown = phrase(display, used=len(name) + 2)
    if not shown:
        return f"{name}: {spec}\r\n"
    fits = len(name) + 2 + len(shown) + len(spec) + 3 <= 78 and "\r\n" not in shown
    return f"{name}: {shown}" + (" " if fits else "\r\n ") + f"<{spec}>\r\n"


def addr_spec(address: str) -> str:
    """An address as it may stand in headers: IDN domain as A-labels, unusual local parts quoted.

    The local part may stay non-ASCII (then the message needs SMTPUTF8). Raises Invalid for everything that
    could not be a mailbox, control characters and angle brackets included.
    """
    if "=?" in address:  # some readers would take it for an encoded word
        raise Invalid.of("email", address, "is not an email address")
    if _ADDRESS.fullmatch(address):
        return address
    local, at, domain = address.rpartition("@")
    if not at or not local or len(local.encode()) > 64 or not is_header_safe(address):
        raise Invalid.of("email", address, "is not an email address")
    if not _DOT_ATOM.fullmatch(local) and local.isascii():
        if not (local.startswith('"') and local.endswith('"') and len(local) > 1):
            local = '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'
    elif not local.isascii() and re.search(r'[\s<>()\[\]:;,@\\"]', local):
        raise Invalid.of("email", address, "is not an email address")
    return f"{local}@{ascii_domain(domain)}"


def ascii_domain(domain: str) -> str:
    """A domain in its wire form: A-labels (IDNA 2008), or as it is. Raises Invalid."""
    if _HOST.fullmatch(domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise Invalid.of("email", domain, "is not a mail domain") from None


def structured(name: str, value: str) -> str:
    """A header line of machine-readable ASCII, written as it is: never folded, never an encoded word.

    Raises Invalid for anything but printable ASCII, and for lines over 998 characters.
    """
    if not value.isascii() or not value.isprintable() or len(name) + len(value) + 2 > HARD_LINE:
        raise Invalid.of(name, value, "cannot stand in a structured header")
    return f"{name}: {value}\r\n"


def message_id_header(message_id: str) -> str:
    """`message_id` without angle brackets, `left@domain`. Raises Invalid."""
    if not _MESSAGE_ID.fullmatch(message_id) or len(message_id) > 900:
        raise Invalid.of("Message-ID", message_id, "is not a message id")
    return f"Message-ID: <{message_id}>\r\n"


@lru_cache(maxsize=16)
def date_header(epoch_second: int) -> str:
    """`Date` in UTC. Cached: a sender writes thousands of messages in the same second."""
    return f"Date: {formatdate(epoch_second, localtime=False).replace('-0000', '+0000')}\r\n"


# ---- multipart --------------------------------------------------------------------------------------------


def boundary(*contents: str) -> str:
    """A boundary that follows from the contents, so that the same message always has the same bytes.

    It begins with `=_`, which quoted-printable text cannot hold (RFC 2045 6.7), whatever is filled in per
    person; every part of ours is quoted-printable.
    """
    digest = hashlib.sha256("\0".join(contents).encode("utf-8", "replace")).hexdigest()
    return f"=_{digest[:32]}"


def multipart_header(mark: str) -> str:
    return f'Content-Type: multipart/alternative;\r\n boundary="{mark}"\r\n'


def part_opening(mark: str, content_type: str) -> str:
    """From the boundary to the empty line before the part's quoted-printable text."""
    return (
        f"--{mark}\r\nContent-Type: {content_type}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def closing(mark: str) -> str:
    return f"--{mark}--\r\n"
