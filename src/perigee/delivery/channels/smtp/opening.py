"""From nothing to a session that may send: connect, TLS, greeting, EHLO, STARTTLS, AUTH.

Rare work, so it is written as a plain dialogue. Everything that fails here is trouble of the provider and raises
`DeliveryError`; no message has been named yet, so no recipient can be to blame.
"""

from __future__ import annotations

import asyncio
import binascii
import ipaddress
import socket
import ssl
from collections import deque
from typing import cast

from perigee.delivery.channel import DeliveryError, Reason
from perigee.delivery.channels.smtp.client import Session
from perigee.delivery.channels.smtp.queue import Owner
from perigee.delivery.channels.smtp.replies import Stage, provider_trouble
from perigee.delivery.channels.smtp.settings import Security, SmtpSettings, Timeouts
from perigee.delivery.channels.smtp.wire import Extensions, Reply, ReplyReader


class Dialogue(asyncio.Protocol):
    """One question, one answer."""

    def __init__(self) -> None:
        self._reader = ReplyReader()
        self._replies: deque[Reply] = deque()
        self._lost = False
        self._waiter: asyncio.Future[None] | None = None
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._replies.extend(self._reader.feed(data))
        self._wake()

    def eof_received(self) -> None:
        self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @property
    def clean(self) -> bool:
        """Nothing has come that nobody asked for."""
        return not (self._replies or self._reader.holds_input or self._reader.broken or self._lost)

    async def ask(self, stage: Stage, line: bytes, wait: float) -> Reply:
        """Send a command (b'' = only listen) and read its answer, whatever its code."""
        if line:
            self.transport.write(line + b"\r\n")
        try:
            async with asyncio.timeout(wait):
                while not self._replies:
                    if self._reader.broken:
                        raise DeliveryError(
                            f"at {stage}: {self._reader.broken}", False, reason=Reason.PROVIDER_PROTOCOL
                        )
                    if self._lost:
                        raise DeliveryError(f"the server closed the connection at {stage}", False)
                    self._waiter = asyncio.get_running_loop().create_future()
                    await self._waiter
        except TimeoutError:
            raise DeliveryError(f"no answer at {stage} within {wait:g} s", False) from None
        return self._replies.popleft()

    async def expect(self, stage: Stage, line: bytes, wait: float, code: int = 0) -> Reply:
        """`ask`, and raise unless the answer is `code` (0: any 2xx)."""
        reply = await self.ask(stage, line, wait)
        if reply.code == code or (not code and reply.ok):
            return reply
        if reply.code < 400:
            raise DeliveryError(
                f"unexpected answer at {stage}: {reply}", False, reason=Reason.PROVIDER_PROTOCOL
            )
        raise provider_trouble(stage, reply)


def tls_context(settings: SmtpSettings) -> ssl.SSLContext:
    """The system's trusted roots, TLS 1.2 or newer."""
    context = ssl.create_default_context()
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def open_session(
    settings: SmtpSettings, owner: Owner, timeouts: Timeouts, context: ssl.SSLContext | None = None
) -> Session:
    """A session ready to take messages. Raises `DeliveryError`; leaves no connection behind when it does."""
    dialogue = Dialogue()
    raw = await _connect(settings, dialogue, timeouts)
    try:
        extensions = await _introduce(settings, dialogue, raw, timeouts, context)
        if settings.username:
            await _sign_in(settings, dialogue, extensions, timeouts)
        if not dialogue.clean:
            raise DeliveryError("the server spoke out of turn", False, reason=Reason.PROVIDER_PROTOCOL)
    except BaseException:
        dialogue.transport.abort()
        raise
    extensions.pipelining = extensions.pipelining and settings.pipelining
    session = Session(
        owner,
        extensions,
        timeouts,
        max_messages=settings.messages_per_connection,
        max_seconds=settings.connection_seconds,
        idle_seconds=settings.idle_seconds,
    )
    session.attach(dialogue.transport, raw)
    return session


async def _connect(settings: SmtpSettings, dialogue: Dialogue, timeouts: Timeouts) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeouts.connect):
            transport, _ = await loop.create_connection(lambda: dialogue, settings.host, settings.port)
    except TimeoutError:
        raise DeliveryError(
            f"{settings.host} did not accept a connection within {timeouts.connect:g} s", False
        ) from None
    except socket.gaierror:
        raise DeliveryError(f"there is no server named {settings.host}", False) from None
    except OSError as error:
        words = error.strerror or str(error)
        raise DeliveryError(f"cannot connect to {settings.host}:{settings.port}: {words}", False) from None
    return transport


async def _introduce(
    settings: SmtpSettings,
    dialogue: Dialogue,
    raw: asyncio.Transport,
    timeouts: Timeouts,
    context: ssl.SSLContext | None,
) -> Extensions:
    if settings.security is Security.TLS:
        await _encrypt(settings, dialogue, timeouts, context)
    await dialogue.expect(Stage.GREETING, b"", timeouts.greeting, 220)
    name = (settings.helo or _own_name(raw)).encode("ascii")
    extensions = await _hello(dialogue, name, timeouts)
    if settings.security is not Security.STARTTLS:
        return extensions
    if not extensions.starttls:
        raise DeliveryError("the server does not offer STARTTLS", True, reason=Reason.PROVIDER_TLS)
    await dialogue.expect(Stage.STARTTLS, b"STARTTLS", timeouts.command, 220)
    if not dialogue.clean:
        # Anything here could have been slipped in by a third party (RFC 3207, 6).
        raise DeliveryError("the server spoke before encryption began", False, reason=Reason.PROVIDER_TLS)
    await _encrypt(settings, dialogue, timeouts, context)
    return await _hello(dialogue, name, timeouts)


async def _hello(dialogue: Dialogue, name: bytes, timeouts: Timeouts) -> Extensions:
    """EHLO; a server from before 1995 gets HELO and no extensions."""
    reply = await dialogue.ask(Stage.EHLO, b"EHLO " + name, timeouts.command)
    if reply.ok:
        return Extensions(reply)
    if reply.code not in (500, 502, 504, 550):
        raise provider_trouble(Stage.EHLO, reply)
    await dialogue.expect(Stage.EHLO, b"HELO " + name, timeouts.command)
    return Extensions()


async def _encrypt(
    settings: SmtpSettings, dialogue: Dialogue, timeouts: Timeouts, context: ssl.SSLContext | None
) -> None:
    loop = asyncio.get_running_loop()
    try:
        secured = await loop.start_tls(
            dialogue.transport,
            dialogue,
            context or tls_context(settings),
            server_hostname=settings.host,
            ssl_handshake_timeout=timeouts.tls,
            ssl_shutdown_timeout=timeouts.quit,
        )
    except ssl.SSLCertVerificationError as error:
        words = f"the server's certificate is not accepted: {error.verify_message}"
        raise DeliveryError(words, True, reason=Reason.PROVIDER_TLS) from None
    except (ssl.SSLError, OSError, TimeoutError) as error:
        words = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise DeliveryError(
            f"encryption could not be set up: {words}", False, reason=Reason.PROVIDER_TLS
        ) from None
    if secured is None:
        raise DeliveryError("the server closed the connection at tls", False, reason=Reason.PROVIDER_TLS)
    dialogue.transport = secured


async def _sign_in(
    settings: SmtpSettings, dialogue: Dialogue, extensions: Extensions, timeouts: Timeouts
) -> None:
    if (
        settings.security is Security.NONE
        and not settings.plaintext_login
        and not _is_loopback(dialogue.transport)
    ):
        raise DeliveryError("sign-in without encryption is switched off", True, reason=Reason.PROVIDER_LOGIN)
    user, password = settings.username.encode(), settings.password.encode()
    wait = timeouts.command
    if "PLAIN" in extensions.auth:
        await dialogue.expect(Stage.AUTH, b"AUTH PLAIN " + _b64(b"\0" + user + b"\0" + password), wait, 235)
    elif "LOGIN" in extensions.auth:
        await dialogue.expect(Stage.AUTH, b"AUTH LOGIN", wait, 334)
        await dialogue.expect(Stage.AUTH, _b64(user), wait, 334)
        await dialogue.expect(Stage.AUTH, _b64(password), wait, 235)
    else:
        raise DeliveryError(
            "the server offers no sign-in we know (PLAIN, LOGIN)", True, reason=Reason.PROVIDER_LOGIN
        )


def _b64(data: bytes) -> bytes:
    return binascii.b2a_base64(data, newline=False)


def _own_name(transport: asyncio.Transport) -> str:
    """A full host name, else our address in brackets (RFC 5321 4.1.3). Never asks the DNS, which could block."""
    name = socket.gethostname()
    if "." in name and name.isascii():
        return name
    address = ipaddress.ip_address(transport.get_extra_info("sockname")[0].partition("%")[0])
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _is_loopback(transport: asyncio.Transport) -> bool:
    peer = transport.get_extra_info("peername")
    return bool(peer) and ipaddress.ip_address(peer[0].partition("%")[0]).is_loopback
