"""A mail sink that takes everything and keeps nothing, and the fastest sender there is, to measure against.

Postfix's `smtp-sink` and `smtp-source` are used where they are installed, because a bound written by others is
worth more; else the two below. Whoever prints a figure prints `Tool.name` beside it.

    python bench/smtp_sink.py --port 2525
    python bench/smtp_sink.py --source 127.0.0.1:2525 --messages 20000 --bytes 5000
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import uvloop

END = b"\r\n.\r\n"
ENVELOPE = b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"


class Tool(NamedTuple):
    """`name` says whose tool it is; `command` starts it when host, port and the rest are filled in."""

    name: str
    command: list[str]


def find_sink() -> Tool:
    """A sink; call `.command` with {port} formatted in."""
    if path := _postfix("smtp-sink"):
        return Tool("postfix smtp-sink", [path, "-u", "nobody", "127.0.0.1:{port}", "1000"])
    return Tool("perigee sink", [sys.executable, str(Path(__file__).resolve()), "--port", "{port}"])


def find_source() -> Tool:
    """The bound sender: connections kept open, fixed bytes; {sessions}, {messages}, {bytes}, {port}."""
    if path := _postfix("smtp-source"):
        sizes = ["-s", "{sessions}", "-m", "{messages}", "-l", "{bytes}"]
        return Tool("postfix smtp-source -d", [path, "-d", *sizes, "127.0.0.1:{port}"])
    sizes = ["--sessions", "{sessions}", "--messages", "{messages}", "--bytes", "{bytes}"]
    return Tool(
        "perigee bare client",
        [sys.executable, str(Path(__file__).resolve()), "--source", "127.0.0.1:{port}", *sizes],
    )


def _postfix(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/libexec/postfix")


@contextmanager
def running_sink() -> Iterator[tuple[str, int]]:
    """A sink in a process of its own; yields its tool's name and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tool = find_sink()
    command = [word.format(port=port) for word in tool.command]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for(process, port)
        yield tool.name, port
    finally:
        process.terminate()
        process.wait()


@contextmanager
def watching_sink(watched: str) -> Iterator[tuple[int, IO[str]]]:
    """Our own sink in a process of its own; yields its port and the lines it prints (see `Sink`)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(Path(__file__).resolve()), "--port", str(port), "--watch", watched]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        _wait_for(process, port)
        yield port, process.stdout
    finally:
        process.terminate()
        process.wait()


def _wait_for(process: subprocess.Popen[Any], port: int) -> None:
    for _ in range(100):
        if process.poll() is not None:
            raise RuntimeError(
                f"the sink did not start: {process.stderr.read().decode() if process.stderr else ''}"
            )
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the sink did not start in 5 s")


def measure_source(port: int, *, messages: int, size: int, sessions: int = 8) -> tuple[str, float]:
    """The bound: its tool's name, and messages per second into the sink at `port`."""
    tool = find_source()
    values = {"port": port, "messages": messages, "bytes": size, "sessions": sessions}
    began = time.perf_counter()
    subprocess.run([word.format(**values) for word in tool.command], check=True, stdout=subprocess.DEVNULL)
    return tool.name, messages / (time.perf_counter() - began)


class Sink(asyncio.Protocol):
    """Answers each command by its first letter; a message ends at its dot. No faults; of recipients whose address begins
    with `watched`, a line with address and moment (`time.monotonic`) is printed when their message is complete."""

    watched = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # always a stream here
        self.in_data = False
        self.rest = b""
        self.noted = ""
        self.transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        data = self.rest + data if self.rest else data
        answers = []
        while data:
            if self.in_data:
                end = data.find(END)
                if end < 0:
                    data = data[-4:]
                    break
                data = data[end + 5 :]
                self.in_data = False
                answers.append(b"250 2.0.0 Ok\r\n")
                if self.noted:
                    print(self.noted, time.monotonic(), flush=True)
                    self.noted = ""
                continue
            line, newline, rest = data.partition(b"\n")
            if not newline:
                break
            data = rest
            verb = line[:4].upper()
            if verb == b"DATA":
                self.in_data = True
                # So that a message without a body line still finds the end mark.
                data = b"\r\n" + data
                answers.append(b"354 go on\r\n")
            elif verb == b"EHLO":
                answers.append(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif verb == b"QUIT":
                self.transport.write(b"".join(answers) + b"221 bye\r\n")
                self.transport.close()
                return
            else:
                if self.watched and verb == b"RCPT":
                    address = line.decode().partition("<")[2].partition(">")[0]
                    self.noted = address if address.startswith(self.watched) else ""
                answers.append(b"250 2.1.0 Ok\r\n")
        self.rest = data
        if answers:
            self.transport.write(b"".join(answers))


class Source(asyncio.Protocol):
    """The least a pipelining client can do: fixed bytes, answers counted by line, nothing accounted for."""

    def __init__(self, message: bytes, budget: list[int], done: asyncio.Future[None]) -> None:
        self.message = message
        self.budget = budget
        self.done = done
        self.greeted = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]  # always a stream here

    def data_received(self, data: bytes) -> None:
        if self.greeted < 2:
            self.greeted += 1
            self.transport.write(b"EHLO bench\r\n" if self.greeted == 1 else ENVELOPE)
        elif b"354" in data:
            self.budget[0] -= 1
            more = ENVELOPE if self.budget[0] > 0 else b"QUIT\r\n"
            self.transport.write(self.message + b".\r\n" + more)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


def make_message(size: int) -> bytes:
    """About `size` bytes of a plain message, 70 characters a line."""
    head = b"From: a@example.com\r\nTo: b@example.net\r\nSubject: bench\r\n\r\n"
    line = b"x" * 70 + b"\r\n"
    return head + line * max(1, (size - len(head)) // len(line))


async def sink(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


async def source(port: int, sessions: int, messages: int, size: int) -> None:
    loop = asyncio.get_running_loop()
    budget, message = [messages - sessions + 1], make_message(size)
    ends = [loop.create_future() for _ in range(sessions)]
    for end in ends:
        await loop.create_connection(lambda end=end: Source(message, budget, end), "127.0.0.1", port)
    await asyncio.gather(*ends)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument(
        "--watch", metavar="START", default="", help="print when messages to such addresses arrive"
    )
    parser.add_argument("--source", metavar="HOST:PORT")
    parser.add_argument("--sessions", type=int, default=8)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=5_000)
    options = parser.parse_args()
    if options.source:
        port = int(options.source.rpartition(":")[2])
        uvloop.run(source(port, options.sessions, options.messages, options.bytes))
    else:
        Sink.watched = options.watch
        uvloop.run(sink(options.port))


if __name__ == "__main__":
    main()
