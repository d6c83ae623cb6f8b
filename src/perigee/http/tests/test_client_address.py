"""Whose call it is, with and without proxies in between."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Request
from litestar.testing import AsyncTestClient

from perigee.db.pool import Database
from perigee.http.app import create_app
from perigee.http.client_address import behind_proxies, client_address
from perigee.settings import Settings, SettingsError
from perigee.testing.api import SETTINGS, Api, called_from, make_organisation
from perigee.testing.sending import Shop

TRUSTED = "127.0.0.1 10.0.0.0/24 fd00::/8"
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def address(caller: str, *forwarded: str) -> str:
    found = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append(client_address(Request(scope)))

    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope: Any = {"type": "http", "client": (caller, 1), "headers": headers, "scheme": "http"}
    await behind_proxies(app, TRUSTED)(scope, None, None)  # type: ignore[arg-type]  # nothing is read or sent
    return found[0]


@pytest.mark.parametrize(
    ("caller", "forwarded", "expected"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.0.0.7", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.7", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.7", ["192.0.2.66, 198.51.100.1, 10.0.0.8"], "198.51.100.1"),
        ("10.0.0.7", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.7", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.0.0.7", [], "10.0.0.7"),
        ("10.0.1.7", ["198.51.100.1"], "10.0.1.7"),
        ("::ffff:10.0.0.7", ["198.51.100.1"], "198.51.100.1"),
        ("::ffff:203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("fd00::1", ["2001:DB8:0::5"], "2001:db8::5"),
        ("10.0.0.7", ["nobody"], ""),
    ],
    ids=[
        "nobody between",
        "a forged header",
        "a proxy",
        "a forged entry before the proxy's",
        "two proxies",
        "two headers",
        "with a port",
        "a proxy that says nothing",
        "a neighbour of the network",
        "a proxy, at a socket for both families",
        "a stranger there",
        "IPv6",
        "no address",
    ],
)
async def test_the_last_address_that_is_no_proxy_of_ours_calls(
    caller: str, forwarded: list[str], expected: str
) -> None:
    assert await address(caller, *forwarded) == expected


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(SettingsError, match="PERIGEE_TRUSTED_PROXIES"):
        Settings.load({"PERIGEE_TRUSTED_PROXIES": "10.0.0.0/33", "PERIGEE_HOME": "/nonexistent"})


@pytest.fixture
async def proxied(db: Database, database_url: str) -> AsyncIterator[Api]:
    """Everything comes through a proxy on 10.0.0.7."""
    settings = dataclasses.replace(SETTINGS, trusted_proxies="10.0.0.7", failed_logins_per_minute=2)
    org_id, key = await make_organisation(db)
    app = called_from(create_app(settings, database_url), "10.0.0.7")
    async with AsyncTestClient(app, base_url="http://perigee.test") as client:
        yield Api(client, db, org_id, key, settings)


async def test_wrong_logins_are_counted_by_caller(proxied: Api) -> None:
    async def status(forwarded: str) -> int:
        answer = await proxied.get("/api/v1/groups", key="0" * 32, headers={"X-Forwarded-For": forwarded})
        return answer.status_code

    for forged in range(2):
        assert await status(f"192.0.2.{forged}, 198.51.100.1") == 401
    assert await status("192.0.2.9, 198.51.100.1") == 429, "whatever it calls itself"
    assert await status("198.51.100.2") == 401


async def test_the_proof_of_consent_names_the_caller(proxied: Api) -> None:
    shop = Shop(proxied.db, proxied.org_id)
    await shop.started([await shop.person("anna@example.com")])
    await shop.run_sender()
    ((body,),) = await shop.sql("select body from sandbox_message where org_id = %(org)s")
    token = bytes(body).decode().split("List-Unsubscribe: <http://perigee.test", 1)[1].split(">", 1)[0]
    answer = await proxied.call(
        "POST",
        token,
        content=b"List-Unsubscribe=One-Click",
        key="",
        headers={**FORM, "X-Forwarded-For": "198.51.100.1"},
    )
    assert answer.status_code == 200, answer.text
    ((ip,),) = await shop.sql("select detail->>'ip' from consent_log where org_id = %(org)s")
    assert ip == "198.51.100.1"
