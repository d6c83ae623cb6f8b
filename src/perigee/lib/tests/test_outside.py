"""The guarded HTTP client, against a server on this host and a resolver without DNS (reliability 31)."""

from __future__ import annotations

import asyncio
import base64
import gzip
import io
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib.outside import Limits, NoAnswer, Outside, Rules, Unreachable, shown_link
from perigee.lib.public_addresses import parse_networks, parse_ports
from perigee.testing.outside import Handler, Names, web_server

HERE = Rules(parse_networks("127.0.0.0/8"), None)
NOWHERE = Rules((), None)
LIMITS = Limits(1000)


async def text(_: web.Request) -> web.StreamResponse:
    return web.Response(text="hello")


async def fetch(
    link: str, *, rules: Rules = HERE, resolver: Names | None = None, limits: Limits = LIMITS
) -> bytes:
    async with Outside(rules, resolver=resolver or Names()) as outside:
        into = io.BytesIO()
        await outside.download(link, into, limits=limits)
        return into.getvalue()


async def refusal(link: str, **more: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        await fetch(link, **more)
    assert caught.value.field == "link"
    return caught.value


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with web_server(text) as port:
        yield port


async def test_the_body_of_an_allowed_address(port: int) -> None:
    assert await fetch(f"http://127.0.0.1:{port}/file.csv") == b"hello"


async def test_a_name_is_looked_up_once_and_the_connection_goes_to_that_address(port: int) -> None:
    names = Names(shop_example=[["127.0.0.1"], ["10.0.0.1"]])
    assert await fetch(f"http://shop.example:{port}/", resolver=names) == b"hello"
    assert names.asked == ["shop.example"]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "169.254.169.254",
        "0.0.0.0",
        "[fe80::1]",
    ],
)
async def test_an_address_in_the_link_that_is_not_public_is_refused(port: int, host: str) -> None:
    error = await refusal(f"http://{host}:{port}/", rules=NOWHERE)
    assert error.message.endswith("leads to an address that is not public")


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "①②⑦.0.0.1", "127。0。0。1"])
async def test_odd_spellings_of_addresses_are_refused(port: int, host: str) -> None:
    names = Names()
    await refusal(f"http://{host}:{port}/", rules=NOWHERE, resolver=names)
    assert names.asked == []


async def test_a_name_with_a_private_address_is_refused(port: int) -> None:
    for addresses in (
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["::1"],
        ["8.8.8.8", "127.0.0.1"],
        ["fd00:ec2::254", "8.8.8.8"],
    ):
        error = await refusal(
            f"http://shop.example:{port}/", rules=NOWHERE, resolver=Names(shop_example=[addresses])
        )
        assert error.message.endswith("leads to an address that is not public")


async def test_the_last_thing_before_a_connection_is_judged_too(port: int) -> None:
    """Even if the judging of names were passed by."""
    async with Outside(NOWHERE, resolver=Names()) as outside:
        with pytest.raises(OSError, match="not public"):
            outside._open_socket((2, 1, 6, "", ("127.0.0.1", port)))


async def test_a_name_that_changes_its_answer_is_judged_for_each_connection() -> None:
    async def closing(_: web.Request) -> web.StreamResponse:
        return web.Response(text="hello", headers={"Connection": "close"})

    names = Names(shop_example=[["127.0.0.1"], ["10.0.0.1"]])
    async with web_server(closing) as port, Outside(HERE, resolver=names) as outside:
        link = f"http://shop.example:{port}/"
        async with outside.get(link, limits=LIMITS) as reply:
            assert await reply.read() == b"hello"
        with pytest.raises(Invalid, match="not public"):
            async with outside.get(link, limits=LIMITS):
                pass


def redirecting(*, target: str, status: int = 302) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/start":
            return web.Response(status=status, headers={"Location": target})
        return web.Response(text=request.headers.get("Authorization", "none"))

    return handler


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_download_follows_redirects(status: int) -> None:
    async with web_server(redirecting(target="/end", status=status)) as port:
        assert await fetch(f"http://127.0.0.1:{port}/start") == b"none"


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "//10.0.0.1/",
        "http://[::1]/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "http://inside.example/",
        "http://[",
        "",
    ],
)
async def test_a_redirect_is_judged_like_a_link(target: str) -> None:
    async with web_server(redirecting(target=target)) as port:
        names = Names(shop_example=[["127.0.0.1"]], inside_example=[["10.0.0.1"]])
        await refusal(f"http://shop.example:{port}/start", resolver=names)


async def test_redirects_in_a_circle_end() -> None:
    async with web_server(redirecting(target="/start")) as port:
        error = await refusal(f"http://127.0.0.1:{port}/start")
        assert error.message.endswith("redirects more than 5 times")


async def test_a_request_does_not_follow_redirects() -> None:
    async with (
        web_server(redirecting(target="/end")) as port,
        Outside(HERE) as outside,
        outside.request("POST", f"http://127.0.0.1:{port}/start", limits=LIMITS, body=b"x") as reply,
    ):
        assert reply.status == 302


async def test_user_name_and_password_become_basic_credentials() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.headers["Authorization"])

    async with web_server(handler) as port:
        got = await fetch(f"http://anna:p%40ss%C3%A9@127.0.0.1:{port}/")
    assert base64.b64decode(got.decode().removeprefix("Basic ")).decode() == "anna:p@ssé"


async def test_credentials_follow_to_the_same_origin_only() -> None:
    async with web_server(redirecting(target="/end")) as port:
        assert (await fetch(f"http://anna:secret@127.0.0.1:{port}/start")).startswith(b"Basic ")
    async with (
        web_server(text) as other,
        web_server(redirecting(target=f"http://127.0.0.1:{other}/")) as port,
    ):
        assert await fetch(f"http://anna:secret@127.0.0.1:{port}/start") == b"hello"
    names = Names(a_example=[["127.0.0.1"]], b_example=[["127.0.0.1"]])
    async with web_server(moving_host()) as port:
        assert await fetch(f"http://anna:secret@a.example:{port}/start", resolver=names) == b"none"


def moving_host() -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if request.path == "/start":
            port = request.host.rpartition(":")[2]
            return web.Response(status=302, headers={"Location": f"http://b.example:{port}/end"})
        return web.Response(text=request.headers.get("Authorization", "none"))

    return handler


async def test_no_refusal_shows_credentials_or_query(port: int) -> None:
    for link in (
        f"http://anna:secret@127.0.0.1:{port}/a?token=secret#secret",
        "http://anna:secret@10.0.0.1/?token=secret",
        "http://anna:secret@unknown.example/?token=secret",
        "ftp://anna:secret@files.example/?token=secret",
        "http://anna:secret@[/?token=secret",
        "http://anna:sec\tret@host/?token=secret",
    ):
        error = await refusal(link, limits=Limits(1))
        assert "secret" not in error.message
        assert "secret" not in str(error.value)


@given(st.text(max_size=60))
def test_a_link_is_never_shown_with_what_stands_before_the_at_sign(tail: str) -> None:
    assert "secret" not in shown_link("http://anna:secret@" + tail)


@pytest.mark.parametrize(
    "link", ["", "shop.example/a.csv", "ftp://x.example/", "file:///etc/passwd", "http://", 7, None]
)
async def test_what_is_no_http_link_is_refused(link: Any) -> None:
    assert (await refusal(link)).message.endswith("is not an address that begins with http:// or https://")


async def test_other_ports_than_those_allowed_are_refused() -> None:
    async with Outside(Rules()) as outside:
        for allowed in ("http://shop.example/", "https://shop.example/", "https://shop.example:8443/"):
            outside.check(allowed)
        with pytest.raises(Invalid, match="uses the port 22, which is not allowed"):
            outside.check("http://shop.example:22/")


@pytest.mark.parametrize("ports", ["", "0", "70000", "http"])
def test_what_is_no_list_of_ports_is_refused(ports: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_ports(ports)
    assert parse_ports("80, 443") == frozenset({80, 443})
    assert parse_ports("any") is None


async def test_a_body_larger_than_the_limit_is_refused_told_or_not() -> None:
    async def told(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"x" * 1001)

    async def untold(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for _ in range(11):
            await response.write(b"x" * 100)
        return response

    for handler in (told, untold):
        async with web_server(handler) as port:
            error = await refusal(f"http://127.0.0.1:{port}/")
            assert error.message.endswith("is larger than 1000 bytes")


async def test_packed_bodies_are_unpacked_and_their_unpacked_size_counts() -> None:
    async def small(_: web.Request) -> web.StreamResponse:
        return web.Response(body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})

    async def bomb(_: web.Request) -> web.StreamResponse:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        body = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(200)) + packer.flush()
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with web_server(small) as port:
        assert await fetch(f"http://127.0.0.1:{port}/") == b"hello"
    async with web_server(bomb) as port:
        error = await refusal(f"http://127.0.0.1:{port}/", limits=Limits(1024 * 1024))
        assert error.message.endswith("is larger than 1 MB")


async def test_a_body_that_is_packed_wrongly_or_breaks_off_is_refused() -> None:
    async def wrong(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"hello", headers={"Content-Encoding": "gzip"})

    async def broken(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    for handler in (wrong, broken):
        async with web_server(handler) as port:
            assert isinstance(await refusal(f"http://127.0.0.1:{port}/"), NoAnswer)


async def test_silence_and_slowness_end() -> None:
    gone = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        await gone.wait()
        return web.Response()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while not gone.is_set():
            await response.write(b"x")
            await asyncio.sleep(0.01)
        return response

    for handler, limits in ((silent, Limits(1000, idle=0.05)), (slow, Limits(10**6, total=0.1))):
        async with web_server(handler) as port:
            error = await refusal(f"http://127.0.0.1:{port}/", limits=limits)
            assert isinstance(error, NoAnswer)
            assert error.message.endswith("did not answer in time")
            gone.set()
        gone.clear()


async def test_statuses_other_than_200_are_refused_some_may_pass() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        return web.Response(status=int(request.path[1:]))

    async with web_server(handler) as port:
        for status, passing in ((404, False), (204, False), (403, False), (503, True), (429, True)):
            error = await refusal(f"http://127.0.0.1:{port}/{status}")
            assert f"answers with the status {status}" in error.message
            assert isinstance(error, Unreachable) == passing


async def test_nobody_there() -> None:
    async with web_server(text) as port:
        pass
    assert type(await refusal(f"http://127.0.0.1:{port}/")) is Unreachable  # nothing was sent
    error = await refusal("http://unknown.example/")
    assert error.message == (
        "link: 'http://unknown.example/' cannot be reached: the name of the host is not known"
    )


async def test_what_is_no_http_is_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await refusal(f"http://127.0.0.1:{port}/")
        assert error.message.endswith("gave no valid HTTP answer")


async def test_proxies_of_the_environment_are_not_used(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert await fetch(f"http://127.0.0.1:{port}/") == b"hello"


async def test_cookies_are_neither_kept_nor_sent() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.Response(text=request.headers.get("Cookie", "none"))
        response.set_cookie("a", "b")
        return response

    async with web_server(handler) as port, Outside(HERE) as outside:
        for _ in range(2):
            async with outside.get(f"http://127.0.0.1:{port}/", limits=LIMITS) as reply:
                assert await reply.read() == b"none"


async def test_errors_of_who_reads_the_reply_stay_as_they_are(port: int) -> None:
    async with Outside(HERE) as outside:
        with pytest.raises(ZeroDivisionError):
            async with outside.get(f"http://127.0.0.1:{port}/", limits=LIMITS):
                raise ZeroDivisionError
