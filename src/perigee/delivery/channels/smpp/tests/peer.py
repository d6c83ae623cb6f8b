"""The operator's side: a scripted one that misbehaves as told, and the SMSC of `smpp34`, which shares no code with us."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import smpp34

from perigee.delivery.channels.smpp.pdu import (
    RESPONSE,
    Address,
    Command,
    Frames,
    Pdu,
    ShortMessage,
    frame,
    read_short_message,
)
from perigee.testing.ports import free_port


class Peer:
    """Takes everything with ids 1, 2, 3 … unless a reply waits for the next submit_sm: a status, or a function that
    writes what it likes (or nothing)."""

    def __init__(self) -> None:
        self.port = 0
        self.binds: list[Pdu] = []
        self.bind_status = 0
        self.bind_silent = False
        self.submitted: list[ShortMessage] = []
        self.sequences: list[int] = []
        self.replies: list[int | Callable[[Connection, Pdu], None] | None] = []
        self.received: list[Pdu] = []
        self.answers: asyncio.Queue[Pdu] = asyncio.Queue()
        self.connections: list[Connection] = []
        self.link_answered = True
        self.reads = 0  # of its sockets

    @property
    def texts(self) -> list[bytes]:
        return [message.text for message in self.submitted]

    def deliver(self, text: bytes, *, sequence: int = 1, esm_class: int = 4, **more: Any) -> None:
        """A deliver_sm on the newest connection."""
        message = ShortMessage(
            Address(1, 1, more.pop("source", "380501234567")),
            Address(5, 0, "Shop"),
            text,
            esm_class=esm_class,
            **more,
        )
        self.connections[-1].write(frame(Command.DELIVER_SM, sequence, message.encode()))


class Connection(asyncio.Protocol):
    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.frames = Frames()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.peer.connections.append(self)

    def write(self, octets: bytes) -> None:
        self.transport.write(octets)

    def data_received(self, data: bytes) -> None:
        self.peer.reads += 1
        for pdu in self.frames.feed(data):
            self._read(pdu)

    def _read(self, pdu: Pdu) -> None:
        peer = self.peer
        peer.received.append(pdu)
        if pdu.command in (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER):
            peer.binds.append(pdu)
            if not peer.bind_silent:
                self.write(frame(RESPONSE | pdu.command, pdu.sequence, b"peer\0", peer.bind_status))
        elif pdu.command == Command.SUBMIT_SM:
            self._submit(pdu)
        elif pdu.command == Command.ENQUIRE_LINK and peer.link_answered:
            self.write(frame(Command.ENQUIRE_LINK_RESP, pdu.sequence))
        elif pdu.command == Command.UNBIND:
            self.write(frame(Command.UNBIND_RESP, pdu.sequence))
        elif pdu.command & RESPONSE:
            peer.answers.put_nowait(pdu)

    def _submit(self, pdu: Pdu) -> None:
        peer = self.peer
        peer.submitted.append(read_short_message(pdu.body))
        peer.sequences.append(pdu.sequence)
        reply = peer.replies.pop(0) if peer.replies else None
        if callable(reply):
            reply(self, pdu)
        elif reply:
            self.write(frame(Command.SUBMIT_SM_RESP, pdu.sequence, status=reply))
        else:
            self.accept(pdu, str(len(peer.submitted)))

    def accept(self, pdu: Pdu, message_id: str) -> None:
        self.write(frame(Command.SUBMIT_SM_RESP, pdu.sequence, message_id.encode() + b"\0"))


def silent(connection: Connection, pdu: Pdu) -> None:
    """No answer, ever."""


def drop(connection: Connection, pdu: Pdu) -> None:
    connection.transport.abort()


@asynccontextmanager
async def scripted() -> AsyncIterator[Peer]:
    peer = Peer()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(peer), "127.0.0.1", 0)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()
        for connection in peer.connections:
            connection.transport.abort()
        await asyncio.sleep(0)


class Smsc:
    """The simulator: accepts, and sends the receipts it is told to. By `refuse`, a number gets a status instead."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.server = smpp34.Server("127.0.0.1", port, system_id="SMSC")
        self.sessions: dict[str, smpp34.Esme] = {}
        self.messages: list[tuple[str, smpp34.SubmitSmEvent]] = []
        self.refuse: dict[str, int] = {}
        self.receipt: Callable[[str, smpp34.SubmitSmEvent], bytes | None] = lambda _id, _event: None
        self.early = False  # receipts before the answer
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.sessions[event.session_id] = event
            elif isinstance(event, smpp34.Unbound):
                self.sessions.pop(event.session_id, None)
            elif event.destination_addr in self.refuse:
                event.reject(self.refuse[event.destination_addr])
            else:
                task = asyncio.create_task(self._take(event))
                self._running.add(task)
                task.add_done_callback(self._running.discard)

    async def _take(self, event: smpp34.SubmitSmEvent) -> None:
        message_id = f"m{len(self.messages) + 1}"
        self.messages.append((message_id, event))
        receipt = self.receipt(message_id, event)
        if receipt is None or not self.early:
            event.accept(message_id)
        if receipt is not None:
            sending = self.deliver(event.destination_addr, event.source_addr, receipt)
            if self.early:  # it is not answered before it is stored, so the answer cannot wait for it
                task = asyncio.create_task(sending)
                self._running.add(task)
                task.add_done_callback(self._running.discard)
                await asyncio.sleep(0.05)
                event.accept(message_id)
            else:
                await sending

    async def deliver(self, source: str, destination: str, text: bytes, esm_class: int = 4) -> None:
        (session, *_) = self.sessions.values()
        with contextlib.suppress(smpp34.SmppError):
            await session.deliver_sm(
                destination, text, source_addr=source, source_addr_ton=1, esm_class=esm_class
            )


@asynccontextmanager
async def simulator() -> AsyncIterator[Smsc]:
    smsc = Smsc(free_port())
    await smsc.server.start()
    task = asyncio.create_task(smsc.serve())
    try:
        yield smsc
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await smsc.server.stop()
