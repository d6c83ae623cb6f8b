"""Contract 1: bases, versions and paths without one."""

from __future__ import annotations

import pytest

from perigee.http import routes
from perigee.openapi.contract import OPERATIONS, shape
from perigee.testing.api import Api
from perigee.testing.wire import ok, refused

ANNA = {"channels": [{"type": "email", "value": "anna@example.com"}]}

HOSTS = (
    "esputnik.com",
    "yespo.io",
    "api.yespo.io",
    "api.reteno.com",
    "esputnik.com.ua",
    "shop.example.com:8443",
)


@pytest.mark.parametrize("name", HOSTS)
async def test_the_api_answers_under_any_host_name(api: Api, name: str) -> None:
    answer = ok(await api.get("/api/v1/account/info", headers={"Host": name}))
    assert answer.json()["orgId"] == api.org_id


def test_every_path_is_a_version_under_the_one_prefix() -> None:
    for operation in routes.operations():
        assert operation.face.prefix in ("/api", "/api/v4")
        assert operation.face.prefix != "/api" or operation.path.startswith(("/v1/", "/v2/", "/v3/"))
    assert {one.path.split("/")[2] for one in OPERATIONS if one.path.startswith("/api/")} == {
        "v1",
        "v2",
        "v3",
    }


def test_versions_are_no_aliases_of_each_other() -> None:
    """What is served under each version is what the contract has there, and no more."""
    asked = {one.shape for one in OPERATIONS}
    served = {
        (one.method, shape(one.face.prefix + one.path))
        for one in routes.operations()
        if one.face.prefix == "/api"
    }
    assert served - asked == {("POST", "/api/v1/emails/unsubscribed")}  # an old name of 12.1, see there


@pytest.mark.parametrize("path", ["/api/v2/contact", "/api/v3/contacts", "/api/v2/orders", "/api/v5/contact"])
async def test_a_method_of_another_version_is_not_found(api: Api, path: str) -> None:
    refused(await api.post(path, ANNA), 404)
    assert await api.rows("select 1 from contact where org_id = %(org_id)s") == []


async def test_version_alone_answers_the_same_in_two_versions(api: Api) -> None:
    first, second = ok(await api.get("/api/v1/version")), ok(await api.get("/api/v2/version"))
    assert first.json() == second.json()
    refused(await api.get("/api/v3/version"), 404)


async def test_a_path_without_version_is_v1(api: Api) -> None:
    contact_id = ok(await api.post("/api/contact", ANNA)).json()["id"]
    assert ok(await api.get(f"/api/v1/contact/{contact_id}")).json()["channels"] == ANNA["channels"]
    event = {
        "eventTypeKey": "viewed",
        "keyValue": "x",
        "params": [{"name": "email", "value": "a@example.com"}],
    }
    assert ok(await api.post("/api/event", event)).content == b""
    mail = {
        "from": '"Example" <news@example.com>',
        "subject": "Hello",
        "htmlText": "<p>Hello</p>",
        "emails": ["anna@example.com"],
    }
    assert ok(await api.post("/api/message/email", mail)).json()["results"]["status"] == "OK"


@pytest.mark.parametrize("path", ["/api/segments", "/api/v1/segments", "/api/", "/api/v1", "/api"])
async def test_what_is_no_method_is_a_404_that_clients_can_read(api: Api, path: str) -> None:
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["status"]) == (404, 404)
