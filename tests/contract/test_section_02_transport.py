"""Contract 2: credentials, what requests look like, what answers look like. Its plainer half is `tests/test_transport.py`."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from perigee.accounts.bootstrap import create_organisation
from perigee.keys import Keys
from perigee.segments import categories
from perigee.settings import Settings
from perigee.testing.api import SECRET, SETTINGS, Api
from perigee.testing.wire import JSON, empty, ok, refused, sentence

ANNA: dict[str, Any] = {"channels": [{"type": "email", "value": "anna@example.com"}]}
EVENT = {
    "eventTypeKey": "viewed",
    "keyValue": "1",
    "params": [{"name": "email", "value": "anna@example.com"}],
}
ORIGIN = "https://shop.example.com"
LOGIN = ("owner@second.example.com", "correct horse")


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, cors_origins=f"{ORIGIN} https://admin.example.com")


async def add(api: Api, **members: Any) -> int:
    return int(ok(await api.post("/api/v1/contact", {**ANNA, **members})).json()["id"])


async def read(api: Api, contact_id: int) -> dict[str, Any]:
    found: dict[str, Any] = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    return found


# 2.1 Authentication


async def with_login(api: Api) -> None:
    async with api.db.transaction() as connection:
        await create_organisation(
            connection, Keys.of(SECRET), name="Second", owner=LOGIN[0], password=LOGIN[1]
        )


async def test_a_login_with_its_password_is_refused_where_that_is_switched_off(api: Api) -> None:
    await with_login(api)
    refused(await api.client.get("/api/v1/account/info", auth=LOGIN), 401)


class TestLoginsSwitchedOn:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, login_credentials="on")

    async def test_a_login_with_its_password_is_a_credential(self, api: Api) -> None:
        await with_login(api)
        answer = ok(await api.client.get("/api/v1/account/info", auth=LOGIN))
        assert answer.json()["userEmail"] == LOGIN[0]
        refused(await api.client.get("/api/v1/account/info", auth=(LOGIN[0], "wrong")), 401)
        assert ok(await api.get("/api/v1/account/info")).json()["orgId"] == api.org_id


async def test_a_token_opens_the_event_methods_and_nothing_else(api: Api) -> None:
    token = ok(await api.post("/api/v1/auth/token")).json()
    headers = {"Authorization": f"Bearer {token}"}
    for version in (1, 2, 3):
        empty(await api.post(f"/api/v{version}/event", EVENT, key="", headers=headers))
    past = {"events": [{**EVENT, "occurred": "2026-01-02T03:04:05Z"}]}
    for method, path in (("POST", "/api/v2/past_events"), ("DELETE", "/api/v1/past_events")):
        answer = await api.call(method, path, past, key="", headers=headers)
        assert answer.status_code not in (401, 403), answer.text
    for method, path in (
        ("GET", "/api/v1/account/info"),
        ("GET", "/api/v1/version"),
        ("GET", "/api/v1/event"),
        ("POST", "/api/v1/contact"),
        ("POST", "/api/v1/auth/token"),
        ("POST", "/api/v1/orders"),
    ):
        answer = await api.call(method, path, key="", headers=headers)
        assert answer.status_code == 403 or (method, path) == ("GET", "/api/v1/event"), path


async def test_a_key_deleted_or_idle_for_90_days_is_401_and_89_days_are_not(api: Api) -> None:
    aged = (
        "update api_key set last_used_at = null, created_at = now() - make_interval(days => %(days)s)"
        " where org_id = %(org_id)s"
    )
    await api.rows(aged, days=90)
    refused(await api.get("/api/v1/account/info"), 401)
    await api.rows(aged, days=89)
    ok(await api.get("/api/v1/account/info"))


async def test_a_new_key_is_enabled(api: Api) -> None:
    made = (await api.post("/api/v4/api-keys", {"description": "new", "access": "events"})).json()
    ok(await api.get("/api/v1/account/info", key=made["key"]))


async def test_wrong_credentials_name_the_realm_for_curl_and_browsers(api: Api) -> None:
    answer = await api.get("/api/v1/account/info", key="wrong")
    assert refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


# 2.2 Requests

SLASHED: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/api/v1/contact/", ANNA),
    ("POST", "/api/v1/contacts/", {"contacts": [ANNA], "dedupeOn": "email"}),
    ("POST", "/api/v1/contact/subscribe/", {"contact": ANNA}),
    ("POST", "/api/v1/event/", EVENT),
    ("POST", "/api/v1/emails/unsubscribed/add/", {"emails": ["anna@example.com"]}),
    (
        "POST",
        "/api/v1/message/email/",
        {
            "from": '"Example" <news@example.com>',
            "subject": "Hello",
            "htmlText": "<p>Hello</p>",
            "emails": ["anna@example.com"],
        },
    ),
    ("GET", "/api/v1/account/info/", None),
    ("GET", "/api/v1/contacts/", None),
    ("GET", "/api/v1/groups/?name=", None),
    ("DELETE", "/api/v1/contact/?externalCustomerId=CRM-1", None),
)


@pytest.mark.parametrize(("method", "path", "body"), SLASHED)
async def test_a_trailing_slash_is_no_redirect_and_no_other_method(
    api: Api, method: str, path: str, body: Any
) -> None:
    if method == "DELETE":
        await add(api, externalCustomerId="CRM-1")
    ok(await api.call(method, path, body))


@pytest.mark.parametrize("body", [b"[]", b"{}"])
async def test_get_and_delete_may_carry_a_body(api: Api, body: bytes) -> None:
    contact_id = await add(api)
    headers = {"Content-Type": "application/json"}
    for path in ("account/info", f"contact/{contact_id}", "contacts", "groups", "addressbooks", "balance"):
        ok(await api.get(f"/api/v1/{path}", content=body, headers=headers))
    sentence(await api.delete(f"/api/v1/contact/{contact_id}", content=body, headers=headers))


async def test_a_post_without_body_where_every_member_is_optional(api: Api) -> None:
    await add(api, groups=[{"name": "News"}])
    (group,) = ok(await api.get("/api/v1/groups")).json()
    sentence(await api.post(f"/api/v1/group/{group['id']}/contacts/detach"))
    assert ok(await api.get(f"/api/v1/group/{group['id']}/contacts")).json() == []
    assert isinstance(ok(await api.post("/api/v1/auth/token")).json(), str)
    assert "body" in refused(await api.post("/api/v1/contact"))


async def test_unknown_members_are_ignored(api: Api) -> None:
    contact_id = await add(
        api,
        id=999_999_999,
        email="other@example.com",
        phone="380509998877",
        address={"town": "Exampleton", "countryCode": "UA"},
        somethingNew={"deep": [1]},
    )
    assert contact_id != 999_999_999
    assert await read(api, contact_id) | {"addressBookId": 0} == {
        "id": contact_id,
        **ANNA,
        "address": {"region": "", "town": "Exampleton", "address": "", "postcode": ""},
        "addressBookId": 0,
    }


async def test_null_and_empty_members_equal_absence(api: Api) -> None:
    contact_id = await add(
        api, firstName="Anna", address={"town": "Exampleton"}, languageCode="en", groups=[{"name": "News"}]
    )
    before = await read(api, contact_id)
    nothing = {
        "id": None,
        "firstName": None,
        "lastName": None,
        "channels": [],
        "fields": [],
        "address": None,
        "groups": None,
        "languageCode": None,
        "timeZone": None,
        "ordersInfo": None,
        "externalCustomerId": None,
        "contactKey": None,
    }
    sentence(await api.put(f"/api/v1/contact/{contact_id}", nothing))
    assert await read(api, contact_id) == before
    assert (
        await add(api, **{name: value for name, value in nothing.items() if name != "channels"}) == contact_id
    )
    assert await read(api, contact_id) == before


async def test_an_empty_list_of_categories_has_its_own_meaning(api: Api) -> None:
    contact_id = await add(api)
    async with api.db.transaction() as connection:
        await categories.create(connection, api.org_id, "News", "news")
    path = f"/api/v1/contact/{contact_id}/subscriptions"
    held = "select 1 from consent_log where org_id = %(org_id)s and action = 'unsubscribed'"
    sentence(await api.put(path, {"subscriptions": ["news"]}))
    assert await api.rows(held) == []
    sentence(await api.put(path, {"subscriptions": []}))
    assert len(await api.rows(held)) == 1


async def test_unknown_query_parameters_are_ignored(api: Api) -> None:
    contact_id = await add(api)
    found = ok(await api.get("/api/v1/contacts?channels=email&groups=1&email=anna@example.com&x=")).json()
    assert [one["id"] for one in found] == [contact_id]


@pytest.mark.parametrize("form", ["ids={},{}", "ids={},%20{}", "ids={}&ids={}", "ids={}, {}"])
async def test_a_list_of_ids_in_every_form(api: Api, form: str) -> None:
    one = await add(api)
    other = await add(api, channels=[{"type": "email", "value": "bo@example.com"}])
    found = ok(await api.get("/api/v1/contacts/email?" + form.format(one, other))).json()["results"]
    assert {int(each["contactId"]) for each in found} == {one, other}


@pytest.mark.parametrize(
    ("value", "erased"), [("true", 1), ("1", 1), ("false", 0), ("0", 0), ("TRUE", 1), ("", 0)]
)
async def test_booleans_in_a_query(api: Api, value: str, erased: int) -> None:
    contact_id = await add(api)
    sentence(await api.delete(f"/api/v1/contact/{contact_id}?erase={value}"))
    left = await api.rows("select 1 from contact where org_id = %(org_id)s")
    assert len(left) == 1 - erased


async def test_a_boolean_that_is_none_is_refused_and_deletes_nothing(api: Api) -> None:
    contact_id = await add(api)
    assert "erase" in refused(await api.delete(f"/api/v1/contact/{contact_id}?erase=perhaps"))
    await read(api, contact_id)


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize(
    ("path", "body"), [("contact", ANNA), ("contacts", {}), ("event", EVENT), ("orders", {})]
)
async def test_other_content_on_a_json_method_is_415(
    api: Api, path: str, body: Any, content_type: str
) -> None:
    headers = {"Content-Type": content_type}
    refused(await api.post(f"/api/v1/{path}", content=json.dumps(body), headers=headers), 415)


async def test_answers_are_packed_only_when_asked_and_requests_may_be(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    ok(await api.post("/api/v1/contact", content=gzip.compress(json.dumps(ANNA).encode()), headers=headers))
    plain = ok(await api.get("/api/v1/contacts", headers={"Accept-Encoding": "identity"}))
    asked = ok(await api.get("/api/v1/contacts", headers={"Accept-Encoding": "gzip"}))
    assert "content-encoding" not in plain.headers
    assert plain.json() == asked.json()


# 2.3 Responses


def raw_answer(host: str, key: str, method: str, path: str, body: Any = None) -> tuple[str, bytes]:
    """(status line and headers as they stand on the line, body) of one HTTP/1.1 exchange."""
    sent = b"" if body is None else json.dumps(body).encode()
    secret = base64.b64encode(f":{key}".encode()).decode()
    target = urlsplit(host)
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: {target.netloc}\r\nAuthorization: Basic {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((target.hostname or "", target.port or 0), timeout=10) as line:
        line.sendall(head.encode() + sent)
        received = b""
        while part := line.recv(65536):
            received += part
    headers, _, content = received.partition(b"\r\n\r\n")
    return headers.decode("latin-1"), content


async def test_the_total_is_spelt_exactly_so_on_the_line(api: Api, host: str) -> None:
    await add(api, groups=[{"name": "News"}])
    (group,) = ok(await api.get("/api/v1/groups")).json()
    channels = ("email", "sms", "viber", "mobilepush", "appinbox", "telegram")
    for path, total in (
        ("contacts", 1),
        ("groups", 1),
        (f"group/{group['id']}/contacts", 1),
        *((f"messages/{channel}", 0) for channel in channels),
    ):
        head, _ = await asyncio.to_thread(raw_answer, host, api.key, "GET", f"/api/v1/{path}")
        assert f"\r\nTotalCount: {total}" in head, (path, head)


async def test_a_doubled_slash_after_the_host_and_empty_bodies_on_the_line(api: Api, host: str) -> None:
    head, content = await asyncio.to_thread(raw_answer, host, api.key, "POST", "//api/v1/event", EVENT)
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert content == b""
    assert "content-length: 0" in head.lower()
    assert f"content-type: {JSON}".lower() in head.lower()


async def test_the_total_of_an_unfiltered_search_is_right_beyond_the_page(api: Api) -> None:
    for number in range(3):
        await add(api, channels=[{"type": "email", "value": f"p{number}@example.com"}])
    answer = ok(await api.get("/api/v1/contacts?maxrows=2"))
    assert (len(answer.json()), answer.headers["TotalCount"]) == (2, "3")


async def test_cors_headers_as_recorded(api: Api) -> None:
    headers = {"Origin": ORIGIN}
    for answer in (
        await api.call("OPTIONS", "/api/v1/contact", key="", headers=headers),
        await api.get("/api/v1/version", headers=headers),
        await api.get("/api/v1/version", key="wrong", headers=headers),
    ):
        found = answer.headers
        assert found["access-control-allow-origin"] == ORIGIN
        assert found["access-control-allow-credentials"] == "true"
        assert found["access-control-allow-methods"] == "POST, GET, PUT, OPTIONS, DELETE"
        assert found["access-control-max-age"] == "3600"
        assert found["access-control-allow-headers"].startswith(
            "Content-Type, Accept, Content-Range, Content-Disposition, Content-Description, X-Requested-With, "
            "remember-me, Authorization"
        )
        assert "TotalCount" in found["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", ["https://shop.example.com.evil.example", "http://shop.example.com", "null"]
)
async def test_an_origin_that_was_not_chosen_is_not_named(api: Api, origin: str) -> None:
    answer = await api.get("/api/v1/version", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers
    assert "access-control-allow-credentials" not in answer.headers


# 2.4 Three kinds of body, 2.5


async def test_the_three_kinds_of_body(api: Api) -> None:
    contact_id = await add(api)
    assert ok(await api.get("/api/v1/groups")).json() == []
    path = f"/api/v1/contact/{contact_id}"
    assert (
        sentence(await api.put(path, {"lastName": "K"})) == f"Contact with id='{contact_id}' has been updated"
    )
    assert sentence(await api.delete(path)) == f"Contact with id='{contact_id}' has been deleted"
    empty(await api.post("/api/v1/event", EVENT))
    empty(await api.post("/api/v1/emails/unsubscribed/add", {"emails": ["anna@example.com"]}))
    empty(await api.post("/api/v1/emails/unsubscribed/delete", {"emails": ["anna@example.com"]}))
    order = {
        "externalOrderId": "SO-1",
        "totalCost": 1,
        "status": "DELIVERED",
        "date": "2025-05-04T10:11:10+03:00",
        "email": "anna@example.com",
    }
    empty(await api.post("/api/v1/orders", {"orders": [order]}))


async def test_head_is_get_without_a_body(api: Api) -> None:
    await add(api)
    answer = await api.call("HEAD", "/api/v1/contacts")
    assert (answer.status_code, answer.content, answer.headers["TotalCount"]) == (200, b"", "1")


@pytest.mark.parametrize(
    ("path", "key"), [("/api/v1/nothing", None), ("/api/v1/version", "wrong"), ("/api/v1/contact/1", None)]
)
async def test_refusals_are_not_kept_in_caches_either(api: Api, path: str, key: str | None) -> None:
    assert (await api.get(path, key=key)).headers["cache-control"] == "no-store"
