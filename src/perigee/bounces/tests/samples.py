"""Mails that come back, as servers write them."""

from __future__ import annotations


def dsn(
    original: str = "",
    *,
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <anna@example.com>: no such user here",
    to: str = "b+x@bounce.example.com",
) -> bytes:
    """RFC 3464. `original`: the Message-ID of the enclosed message, without brackets."""
    return f"""\
From: Mail Delivery System <MAILER-DAEMON@mx.example.com>
To: {to}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I could not deliver your message.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
Arrival-Date: Tue, 24 Nov 2026 10:00:00 +0000

Final-Recipient: rfc822; anna@example.com
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--B
Content-Type: message/rfc822

Message-ID: <{original}>
From: news@shop.example.com
To: anna@example.com
Subject: News

Hello
--B--
""".replace("\n", "\r\n").encode()


def arf(original: str = "", *, kind: str = "abuse") -> bytes:
    """RFC 5965."""
    return f"""\
From: <feedback@isp.example>
To: <fbl@shop.example.com>
Subject: FW: News
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain; charset="US-ASCII"

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeGenerator/1.0
Version: 1
Original-Mail-From: <news@shop.example.com>

--B
Content-Type: message/rfc822

From: <news@shop.example.com>
To: <redacted@isp.example>
Message-ID: <{original}>
Subject: News

Hello
--B--
""".replace("\n", "\r\n").encode()


def written(
    text: str,
    *,
    subject: str = "Re: News",
    sender: str = "Anna <anna@example.com>",
    reply_to: str = "",
    headers: str = "",
) -> bytes:
    """By a person, or by a program in their place."""
    return (
        f"From: {sender}\r\nTo: news@shop.example.com\r\nSubject: {subject}\r\n"
        f"In-Reply-To: <{reply_to}>\r\n{headers}\r\n{text}\r\n"
    ).encode()


QMAIL = b"""\
Return-Path: <>
From: MAILER-DAEMON@mail.example.com
To: b+x@bounce.example.com
Subject: failure notice

Hi. This is the qmail-send program at mail.example.com.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<anna@example.com>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 User unknown
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <news@shop.example.com>
Subject: News

Hello
"""

EXIM = b"""\
Return-Path: <>
X-Failed-Recipients: anna@example.com
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
To: b+x@bounce.example.com
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  anna@example.com
    SMTP error from remote mail server after RCPT TO:<anna@example.com>:
    552 5.2.2 mailbox full
"""
