"""What is checked when a message is saved, so that nothing is found out while it is being sent.

Every refusal is `Invalid` with the wire's member name (`htmlText`, `subject`, `from`, `text` …). Control characters
in what becomes a header are refused here, not repaired: templates are code (protocols 3.3).
"""

from __future__ import annotations

import re

from perigee.errors import Invalid
from perigee.lib.addresses import parse_email
from perigee.lib.text import is_header_safe
from perigee.messages.cards import Card, compile_card
from perigee.messages.contents import AnyContent, Email, Sms, Webhook
from perigee.messages.email import compile_email
from perigee.messages.html import check_size
from perigee.messages.sms import compile_sms
from perigee.messages.version import CompileOptions, MessageVersion, parse_sender
from perigee.messages.webhook import compile_webhook

_ANYWHERE = CompileOptions("https://perigee.invalid")
_ADDRESS_IN_NAME = re.compile(r"[^\s@<>\"]+@([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
_ALPHA_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")
_CODE = re.compile(r"\{\{|%[A-Z]|\$")


def validate(content: AnyContent, *, engine: str = "liquid") -> None:
    """Raises Invalid. An email whose HTML is still to be made (`messages.prepare`) is made in a child process."""
    version = MessageVersion(content, engine=engine)
    if isinstance(content, Email):
        _email(version, content)
    elif isinstance(content, Card):
        compile_card(version, _ANYWHERE)
    elif isinstance(content, Webhook):
        compile_webhook(version, _ANYWHERE)
    else:
        _sms(version, content)


def _email(version: MessageVersion, content: Email) -> None:
    for field, value in (
        ("from", content.from_),
        ("subject", content.subject),
        ("replyTo", content.reply_to),
        ("preheader", content.preheader),
    ):
        _one_line(field, value)
    if not content.subject.strip():
        raise Invalid("subject: is required", field="subject")
    name, address = parse_sender(content.from_)
    check_email_sender("from", name, address)
    if content.reply_to.strip():
        name, address = (
            parse_sender(content.reply_to, "replyTo") if "<" in content.reply_to else ("", content.reply_to)
        )
        check_email_sender("replyTo", name, address.strip())
    check_size(content.html_text, "htmlText")
    check_size(content.amp_html, "ampHtml")
    compile_email(version, _ANYWHERE)


def _one_line(field: str, value: str) -> None:
    if not is_header_safe(value):
        raise Invalid.of(field, value, "must be one line without control characters")


def check_email_sender(field: str, name: str, address: str) -> None:
    """Raises Invalid: no address to write from, or a name that shows an address of another domain."""
    parsed = parse_email(address)
    if parsed is None or not address.rpartition("@")[0].isascii():
        raise Invalid.of(field, address, "is not a valid sender address")
    own = address.rpartition("@")[2].lower()
    for other in _ADDRESS_IN_NAME.findall(name):
        if other.lower() != own:
            raise Invalid.of(field, name, "shows an address of another domain")


def is_dynamic(sender: str) -> bool:
    """Whether who it is from is only known when the message is made for a person."""
    return _CODE.search(sender) is not None


def check_sms_sender(field: str, sender: str) -> None:
    """Raises Invalid for what is neither an alpha name nor a number."""
    if not _ALPHA_NAME.fullmatch(sender) and not _NUMBER.fullmatch(sender):
        raise Invalid.of(
            field, sender, "must be a number, or 1 to 11 Latin letters, digits, blanks, '-', '.' and '_'"
        )


def _sms(version: MessageVersion, content: Sms) -> None:
    _one_line("from", content.from_)
    if not is_dynamic(content.from_):
        check_sms_sender("from", content.from_)
    if not content.text.strip():
        raise Invalid("text: is required", field="text")
    compile_sms(version, _ANYWHERE)
