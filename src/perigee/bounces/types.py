"""Boundary types of what comes back (/api/v4/webhook-intakes)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec


class IntakeCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`key` is what proves the service's calls: SES: the ARN of the SNS topic; SendGrid: the verification key; Mailgun:
    the HTTP webhook signing key; Postmark: the password in the address (HTTP basic). It is stored encrypted."""

    service: Literal["ses", "sendgrid", "mailgun", "postmark"]
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class Intake(msgspec.Struct):
    """`url` is what the service is told to call; `called_at` the last call that proved itself."""

    intake_id: int
    service: str
    url: str
    created_at: datetime
    called_at: datetime | None


class MailboxCreate(msgspec.Struct, forbid_unknown_fields=True):
    """An IMAP account. The password is stored encrypted."""

    host: Annotated[str, msgspec.Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9.:_-]+$")]
    username: Annotated[
        str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+$")
    ]
    password: Annotated[
        str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+$")
    ]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 993
    security: Literal["tls", "starttls", "none"] = "tls"
    folder: Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[ -~]+$")] = "INBOX"


class Mailbox(msgspec.Struct):
    """`error` is what the last look ended with, null when it went well."""

    mailbox_id: int
    host: str
    port: int
    security: str
    username: str
    folder: str
    polled_at: datetime | None
    error: str | None
