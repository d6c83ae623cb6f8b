"""A push service on this host: HTTP/2 over TLS, which takes everything unless it was told to answer otherwise."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events


@dataclass
class Arrived:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """`go_away`: the connection ends with this last stream; the request is answered only when it is not above it."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    break_off: bool = False
    go_away: int | None = None


@dataclass
class Service:
    """`answers`, by path, are given first, each once."""

    port: int = 0
    arrived: list[Arrived] = field(default_factory=list)
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    connections: int = 0

    @property
    def origin(self) -> str:
        return f"https://localhost:{self.port}"

    def answer(self, path: str, status: int = 200, body: Any = None, **more: Any) -> None:
        self.answers.setdefault(path, []).append(Answer(status, body, **more))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        spoken = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        spoken.initiate_connection()
        writer.write(spoken.data_to_send())
        requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        try:
            while data := await reader.read(65_536):
                for event in spoken.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        headers = {_text(name): _text(value) for name, value in event.headers or []}
                        requests[event.stream_id or 0] = (headers, bytearray())
                    elif isinstance(event, h2.events.DataReceived):
                        requests[event.stream_id or 0][1].extend(event.data or b"")
                        spoken.acknowledge_received_data(
                            event.flow_controlled_length or 0, event.stream_id or 0
                        )
                    elif isinstance(event, h2.events.StreamEnded):
                        stream = event.stream_id or 0
                        headers, body = requests.pop(stream)
                        if not self._reply(spoken, stream, headers, bytes(body), number):
                            writer.write(spoken.data_to_send())
                            await writer.drain()
                            return
                writer.write(spoken.data_to_send())
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    def _reply(
        self,
        spoken: h2.connection.H2Connection,
        stream: int,
        headers: dict[str, str],
        body: bytes,
        number: int,
    ) -> bool:
        path = headers[":path"]
        self.arrived.append(Arrived(headers[":method"], path, headers, body, number))
        waiting = self.answers.get(path)
        answer = waiting.pop(0) if waiting else Answer()
        if answer.break_off:
            return False
        if answer.go_away is not None:
            spoken.close_connection(last_stream_id=answer.go_away)
            return False
        sent = b"" if answer.body is None else json.dumps(answer.body).encode()
        spoken.send_headers(stream, [(":status", str(answer.status)), *answer.headers.items()])
        spoken.send_data(stream, sent, end_stream=True)
        return True


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@asynccontextmanager
async def push_service(tls: ssl.SSLContext) -> AsyncIterator[Service]:
    """`tls`: the server's side."""
    tls.set_alpn_protocols(["h2"])
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=tls)
    service.port = server.sockets[0].getsockname()[1]
    try:
        yield service
    finally:
        server.close()
