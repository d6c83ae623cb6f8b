"""What a mail that came back says: bounce, complaint, automatic answer, or a person who wants no more mail.

Pure, and only ever run in a child process with limits (`child.py`): Python's parser can be driven into seconds of CPU
and a recursion error by a mail of some kilobytes. Nothing here decides whom a mail is about: it names candidates for
the signed token, which the caller checks (reliability 22).
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import compat32
from enum import StrEnum
from typing import Final

import msgspec
from flufl.bounce import all_failures

MOST_BYTES: Final = 1024 * 1024
MOST_PARTS: Final = 50
MOST_DEPTH: Final = 20
MOST_HEADERS: Final = 1000
MOST_TOKENS: Final = 20
TEXT: Final = 500


class Unreadable(Exception):
    """Beyond the limits, or nothing that a mail server writes."""


class Kind(StrEnum):
    BOUNCED = "bounced"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"  # or expanded: it went on to a place that reports no more
    COMPLAINED = "complained"
    NOT_SPAM = "not_spam"
    AUTH_FAILURE = "auth_failure"
    OTHER_FEEDBACK = "other_feedback"
    READ_RECEIPT = "read_receipt"
    AUTOMATIC = "automatic"  # out of office, challenges, tickets
    MAIL = "mail"  # somebody wrote it


class Finding(msgspec.Struct, frozen=True):
    """`tokens` are local parts that may be tokens of ours, the likeliest first. `status` is the enhanced code, `text` the
    server's words without control characters. `sender` is who wrote it, in lower case. `wants_out`: it says nothing but
    that its sender wants no more mail."""

    kind: Kind
    tokens: tuple[str, ...] = ()
    status: str = ""
    text: str = ""
    sender: str = ""
    wants_out: bool = False


def read_mail(raw: bytes) -> Finding:
    """Raises Unreadable; the parser's own errors (RecursionError, …) are for the caller to catch too."""
    if len(raw) > MOST_BYTES:
        raise Unreadable("larger than 1 MB")
    mail = BytesParser(policy=compat32).parsebytes(raw)
    parts = list(_parts(mail, 0))
    if len(parts) > MOST_PARTS:
        raise Unreadable("too many parts")
    if sum(len(part.keys()) for part in parts) > MOST_HEADERS:
        raise Unreadable("too many headers")
    tokens = tuple(dict.fromkeys(_tokens(mail, parts)))[:MOST_TOKENS]
    found = _by_form(parts) or _by_words(mail, parts)
    return msgspec.structs.replace(found, tokens=tokens, sender=_address(mail.get("From")))


def _parts(mail: Message, depth: int) -> Iterator[Message]:
    if depth > MOST_DEPTH:
        raise Unreadable("nested too deeply")
    yield mail
    if mail.is_multipart():
        for part in mail.get_payload():
            assert isinstance(part, Message)
            yield from _parts(part, depth + 1)


# -- which message it is about

_ENVELOPE: Final = ("X-Original-To", "Delivered-To", "Envelope-To", "To")
_OURS: Final = re.compile(r"(?:[bu]\+|fbl\+)?[a-z2-7]{20,64}", re.IGNORECASE)
_IDS: Final = re.compile(r"<([^<>@\s]{1,80})@")


def _tokens(mail: Message, parts: list[Message]) -> Iterator[str]:
    for name in _ENVELOPE:
        for value in mail.get_all(name, [])[:10]:
            yield from _local_parts(_text(value))
    for original in _originals(parts):
        for name in ("Message-ID", "Return-Path", "X-PM-Metadata-perigee"):
            yield from _local_parts(_text(original.get(name)))
    for name in ("In-Reply-To", "References", "Original-Message-ID"):
        yield from _local_parts(_text(mail.get(name)))
    for part in parts:
        if part.get_content_type() == "message/feedback-report":
            for block in _blocks(part):
                yield from _local_parts(_text(block.get("Original-Mail-From", "")))


def _local_parts(text: str) -> Iterator[str]:
    """Those that look like a token; whether one is, only its signature says."""
    text = text[:2000]
    for word in [*_IDS.findall(text), *re.split(r"[\s,<>]+", text)]:
        local = word.partition("@")[0].strip('"')
        if _OURS.fullmatch(local):
            yield local.lower()


def _originals(parts: list[Message]) -> Iterator[Message]:
    """The headers of the message that a report encloses."""
    for part in parts[1:]:
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global") and part.is_multipart():
            enclosed = part.get_payload(0)
            if isinstance(enclosed, Message):
                yield enclosed
        elif kind in ("text/rfc822-headers", "message/global-headers", "message/rfc822-headers"):
            yield HeaderParser(policy=compat32).parsestr(_body(part)[:262_144])


# -- reports in a standard form

_ACTIONS: Final = {
    "failed": Kind.BOUNCED,
    "delayed": Kind.DELAYED,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.RELAYED,
    "expanded": Kind.RELAYED,
}
_WORST: Final = (Kind.BOUNCED, Kind.DELAYED, Kind.DELIVERED, Kind.RELAYED)
_FEEDBACK: Final = {
    "abuse": Kind.COMPLAINED,
    "fraud": Kind.COMPLAINED,
    "virus": Kind.COMPLAINED,
    "complaint": Kind.COMPLAINED,
    "opt-out": Kind.COMPLAINED,
    "not-spam": Kind.NOT_SPAM,
    "auth-failure": Kind.AUTH_FAILURE,
}
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def _by_form(parts: list[Message]) -> Finding | None:
    """RFC 3464, RFC 5965, RFC 8098: the part says what it is."""
    for part in parts:
        kind = part.get_content_type()
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _delivery_status(part, parts)
        if kind == "message/feedback-report":
            return _feedback(part, parts)
        if kind in ("message/disposition-notification", "message/global-disposition-notification"):
            return Finding(Kind.READ_RECEIPT)
    return None


def _delivery_status(part: Message, parts: list[Message]) -> Finding | None:
    """Of several recipients the worst: a message of ours has only one."""
    found: dict[Kind, Finding] = {}
    for block in _blocks(part):
        kind = _ACTIONS.get(_text(block.get("Action", "")).strip().lower().partition(" ")[0])
        if kind is None:
            continue
        words = _text(block.get("Diagnostic-Code", "")).partition(";")
        text = shown(words[2] or words[0]) or shown(_first_words(parts))
        status = _STATUS.search(_text(block.get("Status", "")))
        found.setdefault(kind, Finding(kind, status=status[1] if status else "", text=text))
    return next((found[kind] for kind in _WORST if kind in found), None)


def _feedback(part: Message, parts: list[Message]) -> Finding:
    for block in _blocks(part):
        if kind := _text(block.get("Feedback-Type", "")).strip().lower():
            agent = shown(_text(block.get("User-Agent", "")))
            text = shown(f"{kind} report of {agent}" if agent else f"{kind} report")
            return Finding(_FEEDBACK.get(kind, Kind.OTHER_FEEDBACK), text=text)
    return Finding(Kind.OTHER_FEEDBACK, text=shown(_first_words(parts)))


def _blocks(part: Message) -> list[Message]:
    """Groups of fields, as the parser found them or, where a server encoded the part, from its text."""
    if part.is_multipart():
        blocks = [block for block in part.get_payload() if isinstance(block, Message)]
        if any(block.keys() for block in blocks):
            return blocks
        return [_fields(_body(block)) for block in blocks]
    return [_fields(text) for text in re.split(r"\r?\n\r?\n", _body(part)[:262_144])[:MOST_PARTS]]


def _fields(text: str) -> Message:
    return HeaderParser(policy=compat32).parsestr(text.lstrip())


# -- everything else

_DAEMONS: Final = re.compile(r"mailer-?daemon|postmaster|mail-?daemon|mdaemon|bounce", re.IGNORECASE)
_AWAY: Final = re.compile(
    r"^\s*(out of (the )?office|automatic reply|auto(matic)?[- ]?(reply|response)|vacation|abwesen|"
    r"автоответ|автовідповід)",
    re.IGNORECASE,
)
_OUT: Final = re.compile(
    r"^\W*(please\s+)?(unsubscribe( me)?|remove me|stop|отписаться|отписать|відписатися|відписати)\W*$",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(r"\b[45]\d\d[ -]|\b[45]\.\d{1,3}\.\d{1,3}\b")


def _by_words(mail: Message, parts: list[Message]) -> Finding:
    if _from_a_daemon(mail):
        try:
            delayed, failed = all_failures(mail)
        except Exception as error:  # its detectors expect well-formed headers
            raise Unreadable(f"a detector failed: {type(error).__name__}") from error
        if failed or delayed:
            text = _answer(parts)
            status = _STATUS.search(text)
            kind = Kind.BOUNCED if failed else Kind.DELAYED
            return Finding(kind, status=status[1] if status else "", text=text)
        return Finding(Kind.AUTOMATIC)
    if _automatic(mail):
        return Finding(Kind.AUTOMATIC)
    return Finding(Kind.MAIL, wants_out=_wants_out(mail, parts))


def _from_a_daemon(mail: Message) -> bool:
    if mail.get("X-Failed-Recipients") or _text(mail.get("Return-Path", "")).strip() == "<>":
        return True
    return bool(_DAEMONS.search(_address(mail.get("From")).partition("@")[0]))


def _automatic(mail: Message) -> bool:
    """RFC 3834, and what programs wrote before it."""
    submitted = _text(mail.get("Auto-Submitted", "no")).strip().lower()
    if submitted.partition(";")[0].strip() not in ("no", ""):
        return True
    if any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Response-Suppress")):
        return True
    if _text(mail.get("Precedence", "")).strip().lower() in ("auto_reply", "bulk", "junk", "list"):
        return True
    return bool(_AWAY.match(_text(mail.get("Subject", ""))))


def _wants_out(mail: Message, parts: list[Message]) -> bool:
    subject = re.sub(r"^((re|aw|fwd?)\s*:\s*)+", "", _text(mail.get("Subject", "")), flags=re.IGNORECASE)
    first = next((line for line in _first_words(parts).splitlines() if line.strip()), "")
    return bool(_OUT.match(subject[:200]) or _OUT.match(first[:200]))


def _answer(parts: list[Message]) -> str:
    """The line with a server's code in it, and the next; else how the mail begins."""
    lines = [line.strip() for line in _first_words(parts).splitlines() if line.strip()]
    for n, line in enumerate(lines[:500]):
        if _SAYS.search(line):
            return shown(" ".join(lines[n : n + 2]))
    return shown(" ".join(lines[:5]))


def _first_words(parts: list[Message]) -> str:
    for part in parts:
        if part.get_content_maintype() == "text" and not part.is_multipart():
            return _body(part)[:20_000]
    return ""


def _body(part: Message) -> str:
    payload = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _address(value: object) -> str:
    return email.utils.parseaddr(_text(value)[:1000])[1].lower()[:320]


def _text(value: object) -> str:
    return "" if value is None else str(value)


def shown(text: str) -> str:
    """One line without control characters, at most 500 of them."""
    text = text[: TEXT * 8].encode("utf-8", "replace").decode()
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:TEXT]
