"""The bytes of SMTP: commands we write, replies we read. Pure; no socket, no clock.

Limits follow RFC 5321 section 4.5.3.1, widened where real servers exceed it and capped where a hostile one could
make us hold memory without end.
"""

from __future__ import annotations

import re
from functools import cached_property, lru_cache

import idna

MAX_REPLY_LINE = 4096
MAX_REPLY_LINES = 128
MAX_TEXT = 500
CRLF = b"\r\n"

_LINE_END = re.compile(rb"\r\n|\r|\n")
# What may stand between < and >: no control character, no space, no bracket. RFC 5321 limits a path to 256.
_PATH = re.compile(rb"[^\x00-\x20\x7f<>]{1,254}")
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$|:)")
_REPEATED = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}[ :]?\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CODES = {b"%d" % code: code for code in range(200, 600)}
_SIZE = re.compile(r"\d{1,15}")


class BadAddress(ValueError):
    """This text cannot be an envelope address; it has not come near the socket."""


def to_wire(payload: bytes) -> bytes:
    """A message as it crosses the wire, without the final dot: CRLF line ends only, dots doubled, CRLF at the end.

    The one place where line ends and dots are handled, so that no other byte sequence can end the message
    (SMTP smuggling). A clean message without leading dots comes back as the same object.
    """
    ends = payload.count(CRLF)
    if payload.count(b"\n") != ends or payload.count(b"\r") != ends:
        payload = _LINE_END.sub(CRLF, payload)
    if b"\r\n." in payload:
        payload = payload.replace(b"\r\n.", b"\r\n..")
    if payload.startswith(b"."):
        payload = b"." + payload
    return payload if payload.endswith(CRLF) or not payload else payload + CRLF


def envelope_path(address: str) -> bytes:
    """The bytes between the angle brackets; the domain as A-labels, the local part as UTF-8.

    Non-ASCII bytes in the result mean that the session needs SMTPUTF8 (RFC 6531). Raises `BadAddress`.
    """
    if len(address) > 254:
        raise BadAddress("address is longer than 254 characters")
    if not address.isascii():
        local, _, domain = address.rpartition("@")
        address = f"{local}@{_a_label(domain)}"
    try:
        path = address.encode()
    except UnicodeEncodeError:
        raise BadAddress("address holds half of a surrogate pair") from None
    local_part, at, domain_part = path.rpartition(b"@")
    if _PATH.fullmatch(path) is None or not (at and local_part and domain_part):
        raise BadAddress("address cannot be written into an SMTP envelope")
    return path


@lru_cache(maxsize=4096)
def _a_label(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise BadAddress("domain is not a valid international domain name") from None


class Reply:
    """One answer: the three-digit code and its lines, the code cut off."""

    def __init__(self, code: int, lines: list[bytes]) -> None:
        self.code = code
        self.lines = lines

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 300

    @cached_property
    def text(self) -> str:
        """The words in one line, ready to store: no control characters, at most 500 characters."""
        first, *rest = [line.decode("utf-8", "replace") for line in self.lines]
        words = " ".join([first, *[_REPEATED.sub("", line) for line in rest]]).strip()
        return (
            words[:MAX_TEXT] if words.isprintable() else _CONTROL.sub(" ", words[: 2 * MAX_TEXT])[:MAX_TEXT]
        )

    @cached_property
    def enhanced(self) -> str:
        """The enhanced status code (RFC 3463), e.g. '5.1.1'; '' when the server gives none.

        Its class may differ from the first digit of `code`; some large receivers do that.
        """
        match = _ENHANCED.match(self.text)
        return match.group() if match else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


class ReplyReader:
    """Cuts a byte stream into replies. After `broken` is set the stream can no longer be understood."""

    def __init__(self) -> None:
        self.broken: str | None = None
        self._rest = b""
        self._code = 0
        self._lines: list[bytes] = []

    def feed(self, data: bytes) -> list[Reply]:
        """All replies that `data` completes; those before a broken line are still good."""
        if self.broken:
            return []
        lines = (self._rest + data if self._rest else data).split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > MAX_REPLY_LINE:
            self.broken = "reply line too long"
        replies: list[Reply] = []
        for line in lines:
            code = _CODES.get(line[:3])
            more = line[3:4] == b"-"
            if code is None or not (more or line[3:4] in b" \r") or len(line) > MAX_REPLY_LINE:
                self.broken = "unreadable reply"
                break
            text = line[4:-1] if line.endswith(b"\r") else line[4:]
            if self._lines:
                if code != self._code or len(self._lines) >= MAX_REPLY_LINES:
                    self.broken = "unreadable multiline reply"
                    break
                self._lines.append(text)
                if not more:
                    replies.append(Reply(code, self._lines))
                    self._lines = []
            elif more:
                self._code, self._lines = code, [text]
            else:
                replies.append(Reply(code, [text]))
        return replies

    @property
    def holds_input(self) -> bool:
        """Bytes have come that belong to no complete reply."""
        return bool(self._rest or self._lines)


class Extensions:
    """What a server announced in its answer to EHLO (RFC 5321 4.1.1.1); nothing is used that is not here."""

    def __init__(self, reply: Reply | None = None) -> None:
        words: dict[str, list[str]] = {}
        for line in reply.lines[1:] if reply else []:
            # Old servers write AUTH=LOGIN; the equals sign is the one deviation worth reading.
            name, *values = line.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ").split() or [""]
            words.setdefault(name, []).extend(values)
        self.pipelining = "PIPELINING" in words
        self.eight_bit = "8BITMIME" in words
        self.smtputf8 = "SMTPUTF8" in words
        self.starttls = "STARTTLS" in words
        self.auth = frozenset(words.get("AUTH", ()))
        self.size = "SIZE" in words
        limit = (words.get("SIZE") or ["0"])[0]
        # 0 means "no fixed limit" (RFC 1870).
        self.max_size = int(limit) if _SIZE.fullmatch(limit) else 0
