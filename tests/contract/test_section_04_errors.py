"""Contract 4: which status a refusal has, and the one body that every client can read. Its two exceptions in plain
text are tested with their methods, in sections 16 and 23."""

from __future__ import annotations

import re
from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.wire import JSON, ok, refused

ANNA: dict[str, Any] = {"channels": [{"type": "email", "value": "anna@example.com"}]}
HEADERS = {"Content-Type": "application/json"}
MISSING = 999_999_999
APP = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/contact", b'{"channels": ['),
        ("/api/v1/contact", b"{}"),
        ("/api/v1/contact", b'{"channels": [{"type": "email", "value": "bad@@example"}]}'),
        ("/api/v1/contacts", b'{"dedupeOn": "email"}'),
        ("/api/v1/contact/subscribe", b'{"groups": ["News"]}'),
        ("/api/v1/orders", b"["),
        ("/api/v1/message/email", b"{}"),
    ],
)
async def test_malformed_missing_or_bad_is_400_and_writes_nothing(api: Api, path: str, body: bytes) -> None:
    refused(await api.post(path, content=body, headers=HEADERS))
    for table in ("contact", "contact_import", "orders"):
        assert await api.rows(f"select 1 from {table} where org_id = %(org_id)s") == []


async def test_a_bad_range_of_dates_is_400_and_a_long_one_419(api: Api) -> None:
    path = "/api/v1/balance/history?dateFrom=2026-01-01&dateTo="
    refused(await api.get(path + "2025-12-31"))
    ok(await api.get(path + "2026-04-01"))
    refused(await api.get(path + "2026-04-02"), 419)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", f"/api/v1/contact/{MISSING}", None),
        ("PUT", f"/api/v1/contact/{MISSING}", {"lastName": "Koval"}),
        ("DELETE", f"/api/v1/contact/{MISSING}", None),
        ("GET", f"/api/v1/group/{MISSING}/contacts", None),
        ("POST", f"/api/v1/group/{MISSING}/contacts/detach", {}),
        ("GET", f"/api/v1/messages/email/{MISSING}", None),
        ("GET", f"/api/v1/messages/viber/{MISSING}", None),
        ("GET", f"/api/v1/broadcast/{MISSING}", None),
        ("POST", f"/api/v1/apps/{APP}/tokens", {"tokens": [{"token": "1"}]}),
        ("DELETE", "/api/v1/site/webpush/domains?domain=https://nowhere.example.com", None),
    ],
)
async def test_what_does_not_exist_is_404(api: Api, method: str, path: str, body: Any) -> None:
    answer = await api.call(method, path, body)
    assert answer.status_code == 404, answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/api/v1/contacts"), ("POST", "/api/v1/account/info"), ("GET", "/api/v1/orders")],
)
async def test_a_wrong_method_on_a_known_path_is_405(api: Api, method: str, path: str) -> None:
    refused(await api.call(method, path), 405)


async def test_the_body_is_an_object_with_the_five_members(api: Api) -> None:
    ok(await api.post("/api/v1/contact", ANNA))
    answer = await api.post("/api/v1/contact", ANNA)
    assert refused(answer, 409) == "Duplicated request"
    body = answer.json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body.pop("timestamp"))
    assert body == {
        "status": 409,
        "error": "Conflict",
        "message": "Duplicated request",
        "path": "/api/v1/contact",
    }


@pytest.mark.parametrize("path", ["contact", "contact/subscribe"])
async def test_the_same_request_after_a_minute_is_no_repetition(api: Api, path: str) -> None:
    body = {"contact": ANNA} if "/" in path else ANNA
    aged = "update recent_request set at = at - make_interval(secs => %(seconds)s) where org_id = %(org_id)s"
    ok(await api.post(f"/api/v1/{path}", body))
    await api.rows(aged, seconds=50)
    refused(await api.post(f"/api/v1/{path}", body), 409)
    await api.rows(aged, seconds=15)
    ok(await api.post(f"/api/v1/{path}", body))


async def test_other_methods_take_the_same_request_twice(api: Api) -> None:
    for _ in range(2):
        ok(await api.post("/api/v1/contacts", {"contacts": [ANNA], "dedupeOn": "email"}))
        ok(await api.post("/api/v1/emails/unsubscribed/add", {"emails": ["anna@example.com"]}))


async def test_every_refusal_is_json_that_says_its_status(api: Api) -> None:
    answers = [
        await api.get("/api/v1/contacts", key="wrong"),
        await api.get("/api/v1/nothing"),
        await api.call("PATCH", "/api/v1/contact"),
        await api.post("/api/v1/contact", content=b"x", headers={"Content-Type": "text/csv"}),
        await api.post("/api/v1/contact", content=b"{", headers=HEADERS),
    ]
    assert [answer.status_code for answer in answers] == [401, 404, 405, 415, 400]
    for answer in answers:
        assert answer.headers["content-type"] == JSON
        assert refused(answer, answer.status_code)


async def test_a_fault_of_ours_is_500_with_an_id_and_no_detail(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("perigee.contacts.read.contact", broken)
    answer = await api.get("/api/v1/contact/1")
    message = refused(answer, 500)
    assert re.search(r"\b[0-9a-f]{12}$", message)
    assert "secret" not in answer.text
