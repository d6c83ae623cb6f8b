"""Our own SMTP and LMTP listener for what comes back (setting `bounce_listen`): it takes mail for signed recipients and
for nobody else, and answers 250 when the mail is in the database (reliability 22)."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from perigee.bounces import mails, verp
from perigee.bounces.mail import MOST_BYTES
from perigee.bounces.mails import Incoming
from perigee.db.group_commit import GroupCommit
from perigee.db.pool import Database
from perigee.errors import NotFound
from perigee.keys import Keys
from perigee.settings import Settings, parse_listen

log = structlog.get_logger()

SECONDS: Final = 300.0
"""Silence that ends a session (RFC 5321 4.5.3.2.7)."""
MOST_CONNECTIONS: Final = 200
MOST_RECIPIENTS: Final = 100
MOST_MISTAKES: Final = 20
_LINE: Final = 4096
_PATH: Final = re.compile(r"(?:FROM|TO):\s*<([^<>\x00-\x1f]{0,320})>(?:\s.*)?", re.IGNORECASE)
_SIZE: Final = re.compile(r"\bSIZE=(\d{1,18})\b", re.IGNORECASE)


class _End(Exception):
    """The session is over."""


class Listener:
    """Accepts sessions; several processes may listen on one port."""

    def __init__(self, database: Database, keys: Keys) -> None:
        self.keys = keys
        self.commit = GroupCommit(database, mails.keep)
        self.open: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[int]:
        """Yields the port. At the end sessions are cut; what was answered with 250 is stored."""
        server = await asyncio.start_server(
            self._serve, host, port, limit=_LINE, reuse_port=hasattr(socket, "SO_REUSEPORT") and port != 0
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for task in self.open:
                task.cancel()
            await asyncio.gather(*self.open, return_exceptions=True)
            await self.commit.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            await _Session(self, reader, writer).run()
        except (_End, ConnectionError, TimeoutError, asyncio.CancelledError):
            pass
        except Exception as error:
            log.error("session of the bounce listener failed", exc_info=error)
        finally:
            self.open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


async def listen(settings: Settings, database: Database, keys: Keys, stop: asyncio.Event) -> None:
    """Listens where the setting says until `stop`. Raises OSError when that place cannot be had."""
    place = parse_listen(settings.bounce_listen)
    if place is not None:
        async with Listener(database, keys).listening(*place):
            await stop.wait()


def read_recipient(keys: Keys, local: str) -> verp.Bounced:
    """Of a local part: `b+<token>` and `fbl+<token>` for bounces and complaints, `u+<token>` for unsubscribing.
    Raises NotFound."""
    local = local.lower()
    for prefix, key in (
        (verp.BOUNCE, keys.bounces),
        ("fbl+", keys.bounces),
        (verp.UNSUBSCRIBE, keys.unsubscribe_mail),
    ):
        if local.startswith(prefix):
            return verp.read(key, local[len(prefix) :])
    raise NotFound("no recipient of ours")


class _Session:
    def __init__(
        self, listener: Listener, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.listener = listener
        self.reader = reader
        self.writer = writer
        self.lmtp = False
        self.greeted = False
        self.mistakes = 0
        self.reset()

    def reset(self) -> None:
        self.sender: str | None = None
        self.recipients: list[tuple[str, verp.Bounced]] = []

    async def run(self) -> None:
        if len(self.listener.open) > MOST_CONNECTIONS:
            await self.say("421 4.3.2 too many connections")
            return
        await self.say("220 perigee takes bounces ESMTP")
        while True:
            line = await self.line()
            verb, _, rest = line.partition(" ")
            await self.command(verb.upper(), rest.strip())

    async def command(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO" | "LHLO":
                self.lmtp, self.greeted = verb == "LHLO", True
                self.reset()
                await self.say(
                    "250-perigee", f"250-SIZE {MOST_BYTES}", "250-8BITMIME", "250-SMTPUTF8", "250 PIPELINING"
                )
            case "HELO":
                self.lmtp, self.greeted = False, True
                self.reset()
                await self.say("250 perigee")
            case "MAIL":
                await self.mail(rest)
            case "RCPT":
                await self.rcpt(rest)
            case "DATA":
                await self.data()
            case "RSET":
                self.reset()
                await self.say("250 2.0.0 ok")
            case "NOOP":
                await self.say("250 2.0.0 ok")
            case "VRFY":
                await self.say("252 2.1.5 not told")
            case "QUIT":
                await self.say("221 2.0.0 bye")
                raise _End
            case _:
                await self.mistake("500 5.5.1 no such command")

    async def mail(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        size = _SIZE.search(rest)
        if not self.greeted or self.sender is not None:
            await self.mistake("503 5.5.1 not now")
        elif path is None:
            await self.mistake("501 5.5.4 MAIL FROM:<address> is expected")
        elif size is not None and int(size[1]) > MOST_BYTES:
            await self.say("552 5.3.4 too large")
        else:
            self.sender = path[1]
            await self.say("250 2.1.0 ok")

    async def rcpt(self, rest: str) -> None:
        path = _PATH.fullmatch(rest)
        if self.sender is None:
            await self.mistake("503 5.5.1 MAIL comes first")
            return
        if path is None:
            await self.mistake("501 5.5.4 RCPT TO:<address> is expected")
            return
        local = path[1].rpartition("@")[0].strip('"').lower()
        try:
            named = read_recipient(self.listener.keys, local)
        except NotFound:
            await self.mistake("550 5.1.1 nobody here by that name")
            return
        if len(self.recipients) >= MOST_RECIPIENTS:
            await self.say("452 4.5.3 too many recipients")
            return
        self.recipients.append((local, named))
        await self.say("250 2.1.5 ok")

    async def data(self) -> None:
        if not self.recipients:
            await self.mistake("503 5.5.1 no valid recipients")
            return
        await self.say("354 go on")
        body = await self.body()
        recipients, sender = self.recipients, self.sender
        self.reset()
        if body is None:
            answers = ["552 5.3.4 too large"] * len(recipients)
        else:
            # What a later reader of the mail knows of the envelope.
            raw = f"Return-Path: <{sender}>\r\n".encode() + body
            answers = await asyncio.gather(*[self.keep(local, named, raw) for local, named in recipients])
        if self.lmtp:
            await self.say(*answers)
        else:  # one answer for all: the worst, and what was stored twice counts once
            await self.say(max(answers))

    async def keep(self, local: str, named: verp.Bounced, raw: bytes) -> str:
        try:
            await self.listener.commit.submit(named.org_id, Incoming(raw, local, named.contact_id))
        except Exception as error:
            log.error("mail that came back was not stored", exc_info=error)
            return "451 4.3.0 not stored, try again"
        return "250 2.6.0 stored"

    async def body(self) -> bytes | None:
        """Up to the lone dot, unstuffed; None when it is too large (it is read to its end all the same)."""
        lines: list[bytes] = []
        size = 0
        begins = True
        while True:
            line = await self.piece()
            if begins and line == b".\r\n":
                break
            whole = line.endswith(b"\r\n")
            if begins and line.startswith(b"."):
                line = line[1:]
            begins = whole
            size += len(line)
            if size > 8 * MOST_BYTES:
                raise _End
            if size <= MOST_BYTES:
                lines.append(line)
        return b"".join(lines) if size <= MOST_BYTES else None

    async def piece(self) -> bytes:
        """A line with its end, or as much of a long one as fits."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.readuntil(b"\r\n")
            except asyncio.LimitOverrunError as error:
                # Never cut between CR and LF, or the end of the mail would not be seen.
                return await self.reader.readexactly(max(1, error.consumed))
            except asyncio.IncompleteReadError:
                raise _End from None

    async def line(self) -> str:
        line = await self.piece()
        if not line.endswith(b"\r\n"):
            await self.say("500 5.5.2 the line is too long")
            raise _End
        return line[:-2].decode("utf-8", "replace")

    async def mistake(self, answer: str) -> None:
        await self.say(answer)
        self.mistakes += 1
        if self.mistakes >= MOST_MISTAKES:
            await self.say("421 4.7.0 too many mistakes")
            raise _End

    async def say(self, *lines: str) -> None:
        self.writer.write("".join(line + "\r\n" for line in lines).encode())
        async with asyncio.timeout(SECONDS):
            await self.writer.drain()
