"""Links in messages: who makes them, and how ours are signed and read (reliability 33).

Addresses below our public URL, none of which holds a contact's address:

    /o/<token>                           the open pixel
    /u/<token>                           unsubscribe: GET shows a page, POST acts (RFC 8058)
    /v/<token>                           the message in the browser
    /p/<token>                           the preference page: GET shows, POST saves
    /confirm/<token>                     a subscription confirmed: GET shows a page, POST confirms
    /c/<token>.<no>                      a click on link <no>; the target is in the link table of the send
    /c/<token>.<target>.<seal>           a click whose target was rendered for this person
    /s/<code>                            a click on a link of the table, in SMS and Viber (`messages.short_links`)

A token is `Signer.sign(purpose, org, send, ordinal, contact)`: 128 bits of HMAC-SHA256 over the purpose, the key
version and the four numbers. Each kind of link is a purpose of its own, because a click link gets forwarded: it
must not let a stranger unsubscribe the recipient or read the personal web version.

One HMAC per kind and person is enough. The number of a link with a **stored** target stands outside of the
signature: whoever changes it reaches another target of the same message that the author himself put there, or
404; nothing can be made to point elsewhere. A **rendered** target is sealed one by one: the seal is a token that
names the link's number and covers the recipient's token and the target, so that none of the three can be changed
or moved to another person or link.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from dataclasses import dataclass
from typing import Protocol

from perigee.errors import NotFound
from perigee.lib.tokens import InvalidToken, Signer, encode
from perigee.messages import short_links
from perigee.messages.short_links import ShortLink
from perigee.messages.utm import tagged

MAX_PATH = 4_096

CLICK, OPEN, UNSUBSCRIBE, VIEW = "click", "open", "unsubscribe", "view"
PREFERENCES, CONFIRM = "preferences", "confirm"
TRAP = 0
"""The number of the link that nobody sees; those of the link table begin at 1."""
_SEAL = "click target"


class LinkMaker(Protocol):
    """Makes the links of one recipient.

    Every address must be ASCII without blanks, quotes, `<`, `>` and `&`, so that it can stand in HTML, in text and
    in a header as it is.
    """

    def click(self, link_no: int, target: str | None) -> str:
        """The tracked link; `target` None: link `link_no` of the stored table."""
        ...

    def direct(self, target: str) -> str:
        """What an untracked link leads to: the target, with UTM tags where the send has them. Not for HTML as it is."""
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

    def preferences(self) -> str:
        """The page on which a person chooses what to get."""
        ...

    def confirm(self) -> str:
        """The page on which a person confirms a subscription."""
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
    """Links of one send. `tags`: its UTM tags (`utm.tags_of`); `short`: those to targets of the table are."""

    def __init__(
        self,
        signer: Signer,
        public_url: str,
        org_id: int,
        send_id: int,
        tags: str | None = None,
        *,
        short: bool = False,
    ) -> None:
        self.signer = signer
        self.public_url = public_url
        self.org_id = org_id
        self.send_id = send_id
        self.tags = tags
        self.short = short

    def of(self, ordinal: int, contact_id: int) -> RecipientLinks:
        return RecipientLinks(self, ordinal, contact_id)


class RecipientLinks:
    """The link maker of one recipient; tokens are made when first needed."""

    __slots__ = ("_click", "_contact_id", "_ordinal", "_send", "_unsubscribe")

    def __init__(self, send: SignedLinks, ordinal: int, contact_id: int) -> None:
        self._send = send
        self._ordinal = ordinal
        self._contact_id = contact_id
        self._click = ""
        self._unsubscribe = ""

    def _token(self, purpose: str) -> str:
        send = self._send
        return send.signer.sign(purpose, send.org_id, send.send_id, self._ordinal, self._contact_id)

    def click(self, link_no: int, target: str | None) -> str:
        send = self._send
        if target is None and send.short:
            link = ShortLink(send.org_id, send.send_id, self._ordinal, link_no)
            return f"{send.public_url}/s/{short_links.write(send.signer, link)}"
        token = self._click
        if not token:
            token = self._click = self._token(CLICK)
        if target is None:
            return f"{send.public_url}/c/{token}.{link_no}"
        carried = f"{token}.{encode(target.encode())}"
        return f"{send.public_url}/c/{carried}.{send.signer.sign(_SEAL, link_no, extra=carried.encode())}"

    def direct(self, target: str) -> str:
        return tagged(target, self._send.tags, self._contact_id)

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

    def preferences(self) -> str:
        return f"{self._send.public_url}/p/{self._token(PREFERENCES)}"

    def confirm(self) -> str:
        return f"{self._send.public_url}/confirm/{self._token(CONFIRM)}"


def read_recipient(signer: Signer, purpose: str, token: str) -> Recipient:
    """Whom a token of this purpose names. Raises NotFound for anything we did not sign for it."""
    return Recipient(*_verified(signer, purpose, token, 4))


def read_click(signer: Signer, path: str) -> Click:
    """What stands behind `/c/`. Raises NotFound for anything we did not make."""
    parts = path.split(".")
    if len(path) > MAX_PATH or len(parts) not in (2, 3):
        raise NotFound("no such link")
    recipient = read_recipient(signer, CLICK, parts[0])
    if len(parts) == 2:
        return Click(recipient, _number(parts[1]), None)
    carried = f"{parts[0]}.{parts[1]}".encode("utf-8", "replace")
    (link_no,) = _verified(signer, _SEAL, parts[2], 1, extra=carried)
    return Click(recipient, link_no, _bytes(parts[1]).decode("utf-8", "replace"))


def _verified(signer: Signer, purpose: str, token: str, count: int, *, extra: bytes = b"") -> tuple[int, ...]:
    try:
        numbers = signer.verify(purpose, token, extra=extra)
    except InvalidToken:
        raise NotFound("no such link") from None
    if len(numbers) != count:
        raise NotFound("no such link")
    return numbers


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
