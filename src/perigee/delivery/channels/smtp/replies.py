"""What a server's answer means: one pure function over tables (protocols, 2.5).

The three-digit code decides whether the message may be tried again; the enhanced code, where there is one,
decides the reason, even when its class disagrees (Google lists `421 5.7.32`). Where the enhanced code is missing
or says nothing, the words decide; where they say nothing either, the code does.
"""

from __future__ import annotations

import re
from enum import StrEnum

from perigee.delivery.channel import DeliveryError, Outcome, Reason, Receipt
from perigee.delivery.channels.smtp.wire import Reply


class Stage(StrEnum):
    """Where in the session an answer came."""

    CONNECT = "connect"
    TLS = "tls"
    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"


_BY_ENHANCED: dict[str, Reason] = {
    "1.1": Reason.NO_SUCH_RECIPIENT,
    "1.2": Reason.DOMAIN_GONE,
    "1.3": Reason.BAD_ADDRESS,
    "1.6": Reason.NO_SUCH_RECIPIENT,
    "1.7": Reason.SENDER_REFUSED,
    "1.8": Reason.SENDER_REFUSED,
    "1.10": Reason.DOMAIN_GONE,
    "2.1": Reason.INACTIVE,
    "2.2": Reason.MAILBOX_FULL,
    "2.3": Reason.MAILBOX_LIMIT,
    "3.1": Reason.DESTINATION_BUSY,
    "3.4": Reason.TOO_LARGE,
    "6.7": Reason.ADDRESS_NOT_SUPPORTED,
    "7.8": Reason.PROVIDER_LOGIN,
    "7.9": Reason.PROVIDER_LOGIN,
    "7.28": Reason.QUOTA,
    "7.60": Reason.SENDER_REFUSED,
    "7.515": Reason.SENDER_SETUP,
    **{f"7.{detail}": Reason.SENDER_SETUP for detail in range(23, 41) if detail != 28},
}
# By the subject alone. 1.x and 2.x say too little and go on to the words.
_BY_SUBJECT: dict[str, Reason] = {
    "3": Reason.DESTINATION_REFUSED,
    "4": Reason.DESTINATION_UNREACHABLE,
    "5": Reason.BAD_MESSAGE,
    "6": Reason.BAD_MESSAGE,
    "7": Reason.BLOCKED,
}
_BY_CODE: dict[int, Reason] = {
    500: Reason.BAD_MESSAGE,
    501: Reason.BAD_MESSAGE,
    502: Reason.BAD_MESSAGE,
    503: Reason.BAD_MESSAGE,
    504: Reason.BAD_MESSAGE,
    521: Reason.DOMAIN_GONE,
    530: Reason.PROVIDER_LOGIN,
    535: Reason.PROVIDER_LOGIN,
    538: Reason.PROVIDER_LOGIN,
    552: Reason.MAILBOX_FULL,
    555: Reason.BAD_MESSAGE,
    556: Reason.DOMAIN_GONE,
}
# In this order. Written against the published wording of large receivers and common servers.
_WORDS: tuple[tuple[re.Pattern[str], Reason], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (
            r"\b(daily|hourly)\b.{0,20}\b(limit|quota)|sending (limit|quota)|(maximum|max) sending rate",
            Reason.PROVIDER_QUOTA,
        ),
        (r"gr[ae]y-?list", Reason.GREYLISTED),
        (r"\bsender\b.{0,40}\b(rejected|refused|verify|denied|unknown|not|invalid)", Reason.SENDER_REFUSED),
        (r"\bhelo\b|client host|\b(spf|dkim|dmarc|ptr|reverse dns|unauthenticated)\b", Reason.SENDER_SETUP),
        (r"receiving mail (at a rate|too quickly)", Reason.RECIPIENT_BUSY),
        (
            r"(mail ?box|quota|storage|inbox)\b.{0,40}\b(full|exceeded|limit)|over ?quota|out of storage",
            Reason.MAILBOX_FULL,
        ),
        (r"rate.?limit|too many (messages|mails|connections|recipients)|throttl|unusual rate", Reason.QUOTA),
        (r"(message|mail)( size)?.{0,20}(too (big|large)|exceeds)", Reason.TOO_LARGE),
        (r"\b(disabled|inactive|suspended|deactivated)\b", Reason.INACTIVE),
        (
            r"(user|mailbox|recipient|account|address|alias)\b.{0,40}\b(unknown|not found|does ?n[o']t exist|not exist)"
            r"|user does ?n[o']t have|(unknown|no such|invalid|non-?existent) (local )?(user|mailbox|recipient|account|address|alias)",
            Reason.NO_SUCH_RECIPIENT,
        ),
        (
            r"(domain|host)\b.{0,30}\b(not found|does not exist|unknown)|null mx|does not accept mail",
            Reason.DOMAIN_GONE,
        ),
        (r"\bspam\b|junk|unsolicited|phish", Reason.SPAM_CONTENT),
        (
            r"block|blacklist|deny ?list|spamhaus|barracuda|reputation|poor sender|\bpolicy\b|\brbl\b",
            Reason.BLOCKED,
        ),
    )
)
# `421 4.7.0`, `550 5.7.1` and their like cover everything; the words may name it better, but only with these.
_BETTER_THAN_BLOCKED = frozenset(
    {Reason.GREYLISTED, Reason.QUOTA, Reason.SPAM_CONTENT, Reason.SENDER_SETUP, Reason.RECIPIENT_BUSY}
)
_ABOUT_RECIPIENT = frozenset(
    {
        Reason.NO_SUCH_RECIPIENT,
        Reason.BAD_ADDRESS,
        Reason.DOMAIN_GONE,
        Reason.INACTIVE,
        Reason.MAILBOX_FULL,
        Reason.MAILBOX_LIMIT,
        Reason.RECIPIENT_BUSY,
        Reason.ADDRESS_NOT_SUPPORTED,
        Reason.UNCLASSIFIED,
    }
)
_PROVIDER = frozenset({Reason.PROVIDER_LOGIN, Reason.PROVIDER_QUOTA})
_NOT_COUNTED = _PROVIDER | {Reason.SENDER_SETUP, Reason.SENDER_REFUSED, Reason.QUOTA}
_PROVIDER_ID = re.compile(r"\bqueued as ([^\s,;()]{1,100})|\bid=([^\s,;()]{1,100})")
# Seconds: Gmail's own advice for 4.7.28; long enough for a person, or the next hour's allowance.
_WAITS = {Reason.QUOTA: 600.0, Reason.PROVIDER_LOGIN: 300.0, Reason.PROVIDER_QUOTA: 900.0}


def sent(reply: Reply) -> Receipt:
    """The receipt of a 2xx after the final dot, with the provider's own id of the message where it names one."""
    text = reply.text
    match = _PROVIDER_ID.search(text)
    return Receipt(
        Outcome.SENT, None, text, reply.code, reply.enhanced, (match[1] or match[2]) if match else None
    )


def classify(stage: Stage, reply: Reply) -> Receipt:
    """The receipt of a 4xx or 5xx at MAIL, RCPT, DATA or the final dot."""
    temporary = reply.code < 500
    reason = reason_of(stage, reply.code, reply.enhanced, reply.text)
    about_recipient = stage is not Stage.MAIL and reply.code != 421 and reason not in _NOT_COUNTED
    # A sign-in or an allowance that ran out in mid-session says nothing about the message: it waits.
    waits = temporary or reason in _PROVIDER
    return Receipt(
        Outcome.DEFERRED if waits else Outcome.FAILED,
        reason,
        reply.text,
        reply.code,
        reply.enhanced,
        counted=about_recipient,
        retry_after=_WAITS.get(reason),
    )


def reason_of(stage: Stage, code: int, enhanced: str, text: str) -> Reason:
    """Why a message was refused. Total: every code and text has an answer."""
    reason = _read(code, enhanced, text)
    if stage is Stage.MAIL and reason in _ABOUT_RECIPIENT:
        # No recipient was named yet: whatever the words, it is the sender that was refused.
        return Reason.DESTINATION_BUSY if code < 500 else Reason.SENDER_REFUSED
    return reason


def _read(code: int, enhanced: str, text: str) -> Reason:
    temporary = code < 500
    words = next((reason for pattern, reason in _WORDS if pattern.search(text)), None)
    if code in (530, 535, 538):
        return Reason.PROVIDER_LOGIN
    if words is Reason.PROVIDER_QUOTA:
        return words
    if enhanced:
        reason = _by_enhanced(enhanced.partition(".")[2], temporary, words)
        if reason is not None:
            return reason
    if words is not None:
        return words
    if temporary:
        return Reason.DESTINATION_BUSY
    return _BY_CODE.get(code, Reason.UNCLASSIFIED)


def _by_enhanced(detail: str, temporary: bool, words: Reason | None) -> Reason | None:
    exact = _BY_ENHANCED.get(detail)
    if exact is Reason.INACTIVE and (temporary or words is Reason.RECIPIENT_BUSY):
        return Reason.RECIPIENT_BUSY
    if exact is not None:
        return exact
    subject = detail.partition(".")[0]
    reason = _BY_SUBJECT.get(subject)
    if reason is Reason.BLOCKED:
        return words if words in _BETTER_THAN_BLOCKED else Reason.BLOCKED
    if temporary:
        # 4.3.x, 4.4.x, 4.5.x: the receiver has trouble of its own.
        return words if reason is None or words is Reason.QUOTA else Reason.DESTINATION_BUSY
    if reason is Reason.BAD_MESSAGE and words in (
        Reason.NO_SUCH_RECIPIENT,
        Reason.INACTIVE,
        Reason.MAILBOX_FULL,
    ):
        # Outlook says 5.5.0 for a missing mailbox: believed only when it says so twice.
        return Reason.UNCLASSIFIED if words is not Reason.MAILBOX_FULL else words
    if reason is Reason.BAD_MESSAGE and detail == "5.0":
        return words or Reason.UNCLASSIFIED
    return reason


def provider_trouble(stage: Stage, reply: Reply) -> DeliveryError:
    """A refusal before any message was named: nothing about a recipient."""
    reason = {
        Stage.AUTH: Reason.PROVIDER_LOGIN,
        Stage.STARTTLS: Reason.PROVIDER_TLS,
        Stage.TLS: Reason.PROVIDER_TLS,
    }.get(stage, Reason.PROVIDER_REFUSED)
    return DeliveryError(f"the server refused at {stage}: {reply}", reply.code >= 500, reason=reason)
