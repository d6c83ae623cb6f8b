"""A strict SMTP server that records what it accepts and misbehaves on request.

Every accepted message is recorded, in memory and (with `record`) as a line of a file, **before** its 250 is
written, so that a sender killed at any moment can be held against an exact list. It is strict where real servers
are lenient: what a client may not do lands in `violations`.

    python -m perigee.testing.smtp_server --port 0 --record FILE --seed 7 --fault dot:drop:0.01

prints `port N` when it listens and runs until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import signal
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from perigee.testing.smtp_faults import Rule, Script
from perigee.testing.smtp_session import Connection

ALL_EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


class Accepted(msgspec.Struct, frozen=True):
    """One message for one recipient. `answered` is False when the sender never got to read its 250."""

    connection: int
    sender: str
    recipient: str
    message_id: str
    answered: bool
    body: bytes | None = None


def read_record(path: Path) -> list[Accepted]:
    """What a server process wrote with `--record`."""
    return [msgspec.json.decode(line, type=Accepted) for line in path.read_bytes().splitlines()]


class SmtpServer:
    """Listens on loopback. `accepted` and `violations` are what a test looks at."""

    def __init__(
        self,
        *,
        extensions: Sequence[str] = ALL_EXTENSIONS,
        max_size: int | None = None,
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        users: Mapping[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        faults: Sequence[Rule] = (),
        seed: int = 0,
        close_every: int = 0,
        delay: float = 0.0,
        record: Path | None = None,
        keep_bodies: bool = True,
        injected: bytes = b"",
        eager_data: bool = False,
        answers: Mapping[str, str] | None = None,
    ) -> None:
        self.extensions = set(extensions)
        self.max_size = max_size
        self.tls = tls
        self.implicit_tls = implicit_tls
        self.users = users
        self.mechanisms = mechanisms
        self.script = Script(faults, seed)
        self.close_every = close_every
        self.delay = delay
        self.keep_bodies = keep_bodies
        self.injected = injected  # sent in plain text behind the answer to STARTTLS
        self.eager_data = eager_data  # grants DATA although every recipient was refused
        self.answers = answers or {}  # regular expression on a recipient → the answer to its RCPT
        self.accepted: list[Accepted] = []
        self.violations: list[str] = []
        self.commands: list[str] = []
        self.connections = 0
        self.open: set[Connection] = set()
        self.port = 0
        self._record = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if record else None

    async def start(self, port: int = 0, *, backlog: int = 100) -> SmtpServer:
        """Listens. With a small `backlog` connecting hangs soon when the process stands still."""
        loop = asyncio.get_running_loop()
        context = self.tls if self.implicit_tls else None
        self._server = await loop.create_server(
            lambda: Connection(self), "127.0.0.1", port, ssl=context, backlog=backlog
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self._server.close()
        for connection in list(self.open):
            connection.transport.abort()
        if self.open:
            # uvloop does not always tell a connection under TLS that it is lost when it was closing as it was aborted.
            await asyncio.wait([connection.ended for connection in self.open], timeout=2)
        await self._server.wait_closed()
        if self._record is not None:
            os.close(self._record)
            self._record = None

    def accept(self, connection: int, sender: str, recipient: str, body: bytes, answered: bool) -> None:
        """Keeps the record of one message; returns when it is in the file."""
        found = _MESSAGE_ID.search(body[:65536])
        message_id = found[1].decode("ascii", "replace") if found else ""
        kept = body if self.keep_bodies else None
        message = Accepted(connection, sender, recipient, message_id, answered, kept)
        if self._record is not None:
            os.write(self._record, msgspec.json.encode(message) + b"\n")
        self.accepted.append(message)

    @property
    def recipients(self) -> list[str]:
        """Addresses of everything accepted, in order."""
        return [message.recipient for message in self.accepted]


async def serve(server: SmtpServer, port: int, backlog: int = 100) -> None:
    """Until SIGTERM or SIGINT."""
    await server.start(port, backlog=backlog)
    print(f"port {server.port}", flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    await server.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--record", type=Path, help="append one JSON line per accepted message")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--fault", action="append", default=[], metavar="AT:FAULT[:SHARE|#N,N-N|REGEX]", type=Rule.parse
    )
    parser.add_argument(
        "--close-every", type=int, default=0, metavar="N", help="421 after N messages of a session"
    )
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--no-pipelining", action="store_true")
    parser.add_argument(
        "--answer", action="append", default=[], metavar="REGEX=ANSWER", help="to RCPT for such recipients"
    )
    parser.add_argument("--backlog", type=int, default=100, help="connections that wait to be accepted")
    options = parser.parse_args(arguments)
    server = SmtpServer(
        extensions=ALL_EXTENSIONS[1:] if options.no_pipelining else ALL_EXTENSIONS,
        faults=options.fault,
        seed=options.seed,
        close_every=options.close_every,
        delay=options.delay,
        record=options.record,
        keep_bodies=False,
        answers=dict(answer.split("=", 1) for answer in options.answer),
    )
    asyncio.run(serve(server, options.port, options.backlog))


if __name__ == "__main__":
    main()
