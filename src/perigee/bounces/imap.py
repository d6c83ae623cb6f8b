"""A look into an IMAP mailbox (RFC 3501): what came since the last look, without changing how it looks to people until it
is stored. Blocking; for a thread."""

from __future__ import annotations

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator
from typing import Final, NamedTuple

from perigee.bounces.mail import MOST_BYTES

SECONDS: Final = 30.0
AT_ONCE: Final = 20
"""Mails of one look; the next takes the rest."""
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")


class MailboxError(Exception):
    """In words for whoever set the mailbox up."""


class Place(NamedTuple):
    host: str
    port: int
    security: str
    username: str
    password: str
    folder: str


class Look(NamedTuple):
    """`mails` by UID, cut at 1 MB; nothing above `last_uid` was looked at."""

    uid_validity: int
    last_uid: int
    mails: dict[int, bytes]


@contextlib.contextmanager
def opened(place: Place) -> Iterator[imaplib.IMAP4]:
    """Signed in. Raises MailboxError for everything that goes wrong, inside too."""
    try:
        context = ssl.create_default_context()
        if place.security == "tls":
            client: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                place.host, place.port, ssl_context=context, timeout=SECONDS
            )
        else:
            client = imaplib.IMAP4(place.host, place.port, timeout=SECONDS)
        with client:
            if place.security == "starttls":
                client.starttls(context)
            client.login(place.username, place.password)
            yield client
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxError(" ".join(str(error).split())[:300] or type(error).__name__) from error


def select(client: imaplib.IMAP4, folder: str) -> int:
    """Opens the folder; returns its UIDVALIDITY."""
    quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    kind, _ = client.select(quoted)
    if kind != "OK":
        raise MailboxError(f"the folder {folder!r} cannot be opened")
    _, found = client.response("UIDVALIDITY")
    try:
        return int(found[0])
    except (TypeError, ValueError, IndexError):
        raise MailboxError("the server names no UIDVALIDITY") from None


def look(client: imaplib.IMAP4, folder: str, uid_validity: int | None, last_uid: int) -> Look:
    """What came after `last_uid`; all of it where the folder was made anew."""
    validity = select(client, folder)
    after = last_uid if validity == uid_validity else 0
    _, data = client.uid("SEARCH", f"UID {after + 1}:*")
    numbers = data[0].split() if data and isinstance(data[0], bytes) else []
    # `n:*` always holds the last one, even below n.
    uids = sorted(uid for uid in map(int, numbers) if uid > after)[:AT_ONCE]
    if not uids:
        return Look(validity, after, {})
    _, parts = client.uid("FETCH", ",".join(map(str, uids)), f"(UID BODY.PEEK[]<0.{MOST_BYTES}>)")
    mails: dict[int, bytes] = {}
    for part in parts:
        if isinstance(part, tuple) and (named := _UID.search(part[0])):
            mails[int(named[1])] = part[1][:MOST_BYTES]
    return Look(validity, uids[-1], {uid: raw for uid, raw in mails.items() if uid in uids})


def mark_seen(client: imaplib.IMAP4, uids: list[int]) -> None:
    """So that people see what was taken."""
    if uids:
        client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", "(\\Seen)")
