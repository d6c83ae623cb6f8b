"""What no client library would send, over a real socket and to every method: never a 5xx, and a refused request has
changed no row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from perigee.http.operation import Operation
from perigee.http.routes import operations
from perigee.testing import places
from perigee.testing.api import Api
from perigee.testing.rows import digest

OPERATIONS = operations()
WRITERS = [one for one in OPERATIONS if isinstance(one.example, dict | list)]
READERS = [one for one in OPERATIONS if one.method == "GET"]
PLACE = "the number goes here"


def path_of(operation: Operation) -> str:
    return places.filled(operation.face.prefix + operation.path)


def with_texts(value: Any, text: str) -> Iterator[Any]:
    """The document once per text in it, that one text replaced."""
    if isinstance(value, str):
        yield text
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from ({**value, key: changed} for changed in with_texts(inner, text))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from ([*value[:at], changed, *value[at + 1 :]] for changed in with_texts(inner, text))


Sent = tuple[Operation, str]


async def send(api: Api, sent: Sent) -> int:
    """The status, which is no fault of ours."""
    operation, body = sent
    headers = {"Content-Type": "application/json"}
    answer = await api.call(operation.method, path_of(operation), content=body, headers=headers)
    assert answer.status_code < 500, (operation.path, body, answer.text)
    return answer.status_code


async def send_all(api: Api, bodies: Iterable[Sent]) -> None:
    """No body is a fault of ours, and those refused, sent once more, have changed no row."""
    refused = [sent for sent in bodies if await send(api, sent) >= 400]
    # What was taken meanwhile can make a refused body right: it named a category, say, that is there now.
    refused = [sent for sent in refused if await send(api, sent) >= 400]
    before = await digest(api)
    for sent in refused:
        assert await send(api, sent) >= 400, sent
    assert await digest(api) == before


@pytest.mark.parametrize("text", ["zyzzyva\x00", "\ud800zyzzyva", "zyzzyva\udfff\x00\x1f\x1e", "x" * 70_000])
async def test_no_text_in_any_member_of_any_body_is_a_fault_of_ours(api: Api, text: str) -> None:
    await send_all(
        api, ((one, json.dumps(body)) for one in WRITERS for body in with_texts(one.example, text))
    )


@pytest.mark.parametrize("number", ["1e400", "-1e400", "9" * 5000, "1e-400", "-0", "0." + "1" * 5000])
async def test_no_number_in_any_member_of_any_body_is_a_fault_of_ours(api: Api, number: str) -> None:
    await send_all(
        api,
        (
            (one, json.dumps(body).replace(f'"{PLACE}"', number))
            for one in WRITERS
            for body in with_texts(one.example, PLACE)
        ),
    )


BROKEN = {
    "not UTF-8": b'{"name": "zyzzyva\xff\xc0\x80"}',
    "UTF-16": '{"name": "zyzzyva"}'.encode("utf-16"),
    "deep": b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "half a document": b'{"name": "zyzzyva',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
async def test_no_broken_body_to_any_method_is_a_fault_of_ours(api: Api, body: bytes) -> None:
    before = await digest(api)
    for operation in WRITERS:
        headers = {"Content-Type": "application/json"}
        answer = await api.call(operation.method, path_of(operation), content=body, headers=headers)
        assert 400 <= answer.status_code < 500, (operation.path, answer.text)
    assert await digest(api) == before


@pytest.mark.parametrize(
    "label", ["text/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
async def test_other_content_types_are_refused_everywhere(api: Api, label: str) -> None:
    before = await digest(api)
    for operation in WRITERS:
        body = json.dumps(operation.example)
        answer = await api.call(
            operation.method, path_of(operation), content=body, headers={"Content-Type": label}
        )
        assert answer.status_code in (404, 415), (operation.path, answer.text)
    assert await digest(api) == before


async def test_ten_thousand_query_parameters(api: Api) -> None:
    query = "&".join(f"{n}=" for n in range(10_000))  # 59 KB: a client library takes no more
    for operation in READERS:
        answer = await api.get(f"{path_of(operation)}?{query}")
        assert answer.status_code < 500, (operation.path, answer.text)


# Over the socket ------------------------------------------------------------------------------------------------


async def exchange(host: str, *parts: bytes) -> bytes:
    """What the server says to these bytes, sent one after another; it is given 10 seconds."""
    place = urlsplit(host)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await asyncio.wait_for(reader.read(400), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


LINES = {
    "header flood": b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
    "long header": b"GET /api/v1/version HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 1_000_000 + b"\r\n\r\n",
    "long path": b"GET /api/v1/" + b"a" * 500_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "NUL in the path": b"GET /api/v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /api/v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "two lengths": b"POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\n{}",
    "negative length": b"POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}",
    "huge length": b"POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nContent-Length: "
    + b"9" * 30
    + b"\r\n\r\n{}",
    "bad chunk": b"POST /api/v1/contact HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "bad method": b"G\xffT /api/v1/version HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", LINES.values(), ids=LINES.keys())
async def test_broken_http_is_refused_and_the_next_caller_is_served(api: Api, host: str, sent: bytes) -> None:
    before = await digest(api)
    said = await exchange(host, sent)
    assert not said.split(b" ")[1:2] or said.split(b" ")[1][:1] in b"24", said
    again = await exchange(host, b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert again.startswith(b"HTTP/1.1 200"), again
    assert await digest(api) == before
