"""Links in messages: who makes them, and how ours are signed and read (reliability 33).

Addresses below our public URL, none of which holds a contact's address:

    /o/<token>                           the open pixel
    /u/<token>                           unsubscribe: GET shows a page, POST acts (RFC 8058)
    /v/<token>                           the message in the browser
    /c/<token>.<no>                      a click on link <no>; the target is in the link table of the send
    /c/<token>.<no>.<target>.<mac>       a click whose target was rendered for this person

A token is `Signer.sign(purpose, org, send, ordinal, contact)`: 128 bits of HMAC-SHA256 over the purpose, the key
version and the four numbers. Each kind of link is a purpose of its own, because a click link gets forwarded: it
must not let a stranger unsubscribe the recipient or read the personal web version.

One HMAC per kind and person is enough. The number of a link with a **stored** target stands outside of the
signature: whoever changes it reaches another target of the same message that the author himself put there, or
404; nothing can be made to point elsewhere. A **rendered** target is signed one by one, over the recipient's
token, the number and the target, so neither can be changed nor moved to another person or link.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from dataclasses import dataclass
from typing import Protocol

from perigee.errors import NotFound
from perigee.lib.tokens import MAC_BYTES, InvalidToken, Signer, decode, encode, pack_numbers

MAX_LINK_NO = 32_767
MAX_PATH = 4_096

CLICK, OPEN, UNSUBSCRIBE, VIEW = "click", "open", "unsubscribe", "view"
_TARGET = "click target"


class LinkMaker(Protocol):
    """Makes the links of one recipient.

    Every address must be ASCII without blanks, quotes, `<`, `>` and `&`, so that it can stand in HTML, in text and
    in a header as it is.
    """

    def click(self, link_no: int, target: str | None) -> str:
        """The tracked link; `target` None: link `link_no` of the stored table."""
        ...

    def open_pixel(self) -> str: ...

    def unsubscribe(self) -> str:
        """The page on which a person unsubscribes."""
        ...

    def one_click(self) -> str:
        """The address of `List-Unsubscribe` that a mail client POSTs to."""
        ...

    def view(self) -> str:
        """The message in the browser."""
        ...


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a token names: one recipient of one send."""

    org_id: int
    send_id: int
    ordinal: int
    contact_id: int


@dataclass(frozen=True, slots=True)
class Click:
    """`target` None: look up link `link_no` of the send."""

    recipient: Recipient
    link_no: int
    target: str | None


class SignedLinks:
    """Links of one send."""

    def __init__(self, signer: Signer, public_url: str, org_id: int, send_id: int) -> None:
        self.signer = signer
        self.public_url = public_url
        # What every token of this send begins with: key version, organisation, send.
        self.prefix = decode(signer.sign(CLICK, org_id, send_id))[:-MAC_BYTES]

    def of(self, ordinal: int, contact_id: int) -> RecipientLinks:
        return RecipientLinks(self, self.prefix + pack_numbers((ordinal, contact_id)))


class RecipientLinks:
    """The link maker of one recipient; tokens are made when first needed."""

    __slots__ = ("_click", "_payload", "_send", "_unsubscribe")

    def __init__(self, send: SignedLinks, payload: bytes) -> None:
        self._send = send
        self._payload = payload
        self._click = ""
        self._unsubscribe = ""

    def _token(self, purpose: str) -> str:
        payload = self._payload
        return encode(payload + self._send.signer.mac(purpose, payload + b"\x00"))

    def click(self, link_no: int, target: str | None) -> str:
        base = self._click
        if not base:
            base = self._click = f"{self._send.public_url}/c/{self._token(CLICK)}."
        if target is None:
            return f"{base}{link_no}"
        carried = target.encode()
        mac = self._send.signer.mac(_TARGET, self._payload + b"\x00" + pack_numbers((link_no,)) + carried)
        return f"{base}{link_no}.{encode(carried)}.{encode(mac)}"

    def open_pixel(self) -> str:
        return f"{self._send.public_url}/o/{self._token(OPEN)}"

    def unsubscribe(self) -> str:
        if not self._unsubscribe:
            self._unsubscribe = f"{self._send.public_url}/u/{self._token(UNSUBSCRIBE)}"
        return self._unsubscribe

    def one_click(self) -> str:
        return self.unsubscribe()

    def view(self) -> str:
        return f"{self._send.public_url}/v/{self._token(VIEW)}"


def read_recipient(signer: Signer, purpose: str, token: str) -> Recipient:
    """Whom an OPEN, UNSUBSCRIBE or VIEW token names. Raises NotFound for anything we did not sign for it."""
    try:
        org_id, send_id, ordinal, contact_id = signer.verify(purpose, token)
    except (InvalidToken, ValueError):
        raise NotFound("no such link") from None
    return Recipient(org_id, send_id, ordinal, contact_id)


def read_click(signer: Signer, path: str) -> Click:
    """What stands behind `/c/`. Raises NotFound for anything we did not make."""
    parts = path.split(".")
    if len(path) > MAX_PATH or len(parts) not in (2, 4):
        raise NotFound("no such link")
    recipient = read_recipient(signer, CLICK, parts[0])
    link_no = _number(parts[1])
    if len(parts) == 2:
        return Click(recipient, link_no, None)
    carried = _bytes(parts[2])
    payload = decode(parts[0])[:-MAC_BYTES]
    expected = signer.mac(_TARGET, payload + b"\x00" + pack_numbers((link_no,)) + carried, payload[0])
    if not hmac.compare_digest(expected, _bytes(parts[3])):
        raise NotFound("no such link")
    return Click(recipient, link_no, carried.decode("utf-8", "replace"))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 5 and text == str(int(text))):
        raise NotFound("no such link")
    return int(text)


def _bytes(text: str) -> bytes:
    """base64url of any length; only the one canonical spelling is taken."""
    try:
        raw = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotFound("no such link") from None
    if encode(raw) != text:
        raise NotFound("no such link")
    return raw
