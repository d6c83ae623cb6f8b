"""Providers of email that report by calling us: how each proves itself and what it says. A service is a module with
`check_key` and `read`, and one line here."""

from __future__ import annotations

from typing import Final

from perigee.bounces.webhooks import mailgun, postmark, sendgrid, ses
from perigee.bounces.webhooks.told import Service

SERVICES: Final[dict[str, Service]] = {
    "ses": Service(ses.check_key, ses.read),
    "sendgrid": Service(sendgrid.check_key, sendgrid.read),
    "mailgun": Service(mailgun.check_key, mailgun.read),
    "postmark": Service(postmark.check_key, postmark.read),
}
