"""What an operator fills in for an SMTP provider, and the times a session may take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

Host = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_.:\-]{1,255}$",
        title="Server",
        description="Host name or IP address of the relay.",
    ),
]
Helo = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z0-9.\-]{1,255}|\[[A-Za-z0-9.:]{1,60}\])?$",
        title="Our name",
        description="Name given in EHLO; empty: this machine's full name, or its address in brackets.",
    ),
]
Word = Annotated[str, Meta(pattern=r"^[^\x00\r\n]*$", max_length=1024)]


class Security(StrEnum):
    STARTTLS = "starttls"  # RFC 8314 port 587; a server without STARTTLS is refused
    TLS = "tls"  # from the first byte, port 465
    NONE = "none"  # a relay on this machine or a trusted network


class Service(StrEnum):
    """Services whose webhooks report a message by what one of its headers says (`delivery.rendering`)."""

    NONE = ""
    SES = "ses"
    SENDGRID = "sendgrid"
    MAILGUN = "mailgun"
    POSTMARK = "postmark"


class SmtpSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One relay. The password is stored encrypted by whoever keeps this form."""

    host: Host
    port: Annotated[int, Meta(ge=1, le=65535, title="Port")] = 587
    security: Annotated[Security, Meta(title="Encryption")] = Security.STARTTLS
    verify: Annotated[
        bool, Meta(title="Check certificate", description="Off only for tests: anyone could read the mail.")
    ] = True
    username: Annotated[Word, Meta(title="User", description="Empty: no sign-in.")] = ""
    password: Annotated[Word, Meta(title="Password", extra_json_schema={"secret": True})] = ""
    plaintext_login: Annotated[
        bool,
        Meta(title="Sign in without encryption", description="Sends the password readable over the network."),
    ] = False
    helo: Helo = ""
    service: Annotated[
        Service,
        Meta(
            title="Service",
            description="Whose relay it is; its reports of bounces and complaints then find their message.",
        ),
    ] = Service.NONE
    connections: Annotated[int, Meta(ge=1, le=100, title="Connections per process")] = 8
    connections_per_domain: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            title="Connections for one domain",
            description="Most of them that carry mail to one domain at a time; 0: half of them when others wait.",
        ),
    ] = 0
    messages_per_connection: Annotated[int, Meta(ge=1, le=100_000, title="Messages per connection")] = 1000
    connection_seconds: Annotated[int, Meta(ge=5, le=3600, title="Life of a connection in seconds")] = 300
    idle_seconds: Annotated[int, Meta(ge=1, le=300, title="Unused connections close after, in seconds")] = 30
    pipelining: Annotated[
        bool, Meta(title="Pipelining", description="Off for servers that announce it and get it wrong.")
    ] = True


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait at each stage; the defaults are the minimums of RFC 5321 4.5.3.2 (connect and TLS: ours).

    `dot` must never be shortened outside tests: an answer given up on is a message nobody can account for.
    """

    connect: float = 30
    tls: float = 30
    greeting: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5
