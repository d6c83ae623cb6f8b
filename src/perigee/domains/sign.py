"""DKIM signatures over the exact bytes of a message (RFC 6376, 8463): relaxed/relaxed, whole body, RSA and Ed25519.

Written here because the library for it leaves `List-Unsubscribe-Post` out by default and takes four times as long
(protocols.md 0.4); it verifies what we sign in the tests. Pure: both kinds of signatures are deterministic.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from perigee.domains.keys import selectors

SIGNED = (
    "from",
    "to",
    "cc",
    "reply-to",
    "sender",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "feedback-id",
    "cfbl-address",
)
"""Each named once more than it is present, so that none can be changed or added (protocols.md 2.3)."""
VALID_SECONDS = 14 * 86_400
_LINE = 70
_FIELD = re.compile(rb"([^\x00-\x20:\x7f-\xff]+)[ \t]*:((?:[^\r]|\r\n[ \t])*)\r\n")
_PADDING = PKCS1v15()
_HASH = SHA256()


@dataclass(frozen=True, slots=True)
class Signer:
    """Both keys of one domain, or the RSA key alone. `selector` as in `keys.selectors`."""

    domain: str
    selector: str
    rsa: RSAPrivateKey
    ed: Ed25519PrivateKey | None

    def sign(self, raw: bytes, now: int) -> bytes:
        """The message with a signature of each key before it. `raw` has CRLF line ends only and at its end; `now`: epoch seconds."""
        head, _, body = raw.partition(b"\r\n\r\n")
        body_hash = b64encode(hashlib.sha256(relaxed_body(body)).digest()).decode()
        names, canonical = _signed_headers(head + b"\r\n")
        rsa_selector, ed_selector = selectors(self.selector)
        made = []
        algorithms = [("rsa-sha256", rsa_selector)]
        if self.ed is not None:
            algorithms.append(("ed25519-sha256", ed_selector))
        for algorithm, selector in algorithms:
            field = (
                f"v=1; a={algorithm}; c=relaxed/relaxed; s={selector};\r\n d={self.domain};\r\n"
                f" t={now}; x={now + VALID_SECONDS};\r\n h={names};\r\n bh={body_hash};\r\n b="
            )
            own = b"dkim-signature:" + field.replace("\r\n ", " ").encode()
            made.append(f"DKIM-Signature: {field}{_folded(self._signature(algorithm, canonical + own))}\r\n")
        return "".join(made).encode() + raw

    def _signature(self, algorithm: str, data: bytes) -> str:
        if self.ed is None or algorithm == "rsa-sha256":
            return b64encode(self.rsa.sign(data, _PADDING, _HASH)).decode()
        return b64encode(self.ed.sign(hashlib.sha256(data).digest())).decode()


def relaxed_body(body: bytes) -> bytes:
    """RFC 6376 3.4.4: blanks in a row are one, none end a line, no empty lines end the body."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:  # halves every run; several times faster than a regular expression
        body = body.replace(b"  ", b" ")
    body = body.replace(b" \r\n", b"\r\n")
    body = body.rstrip(b"\r\n") if body.endswith(b"\r\n\r\n") else body.removesuffix(b"\r\n")
    body = body.rstrip(b" ")
    return body + b"\r\n" if body else b""


def _signed_headers(head: bytes) -> tuple[str, bytes]:
    """(`h=`, the headers as they are hashed, RFC 6376 3.4.2 and 5.4.2)."""
    found: dict[str, list[bytes]] = {}
    for name, value in _FIELD.findall(head):
        key = name.decode("ascii").lower()
        found.setdefault(key, []).append(b" ".join(value.split()))
    names, canonical = [], []
    for name in SIGNED:
        values = found.get(name, [])
        names.append((name, len(values) + 1))
        canonical += [name.encode() + b":" + value + b"\r\n" for value in reversed(values)]
    return _names(tuple(names)), b"".join(canonical)


@lru_cache(maxsize=256)
def _names(counted: tuple[tuple[str, int], ...]) -> str:
    """`h=`, folded behind colons. Cached: the messages of a send have the same headers."""
    lines = [""]
    for name in [name for name, count in counted for _ in range(count)]:
        if len(lines[-1]) + len(name) > _LINE:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n ".join(lines)[:-1]


def _folded(text: str) -> str:
    return "\r\n ".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))
