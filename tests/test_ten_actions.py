"""The ten actions of the connector on the wire: every request example of the contract, and what it must answer."""

from __future__ import annotations

import asyncio
import base64
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from perigee.accounts.bootstrap import create_organisation
from perigee.db.pool import Database
from perigee.keys import Keys
from perigee.testing.api import Api
from perigee.testing.installation import until, up

JSON = "application/json;charset=UTF-8"
APP = "11111111-2222-3333-4444-555555555555"
PUSH_SITE = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "service-worker.js",
    "serviceWorkerPath": "/apps/yespo-proxy/",
    "serviceWorkerScope": "/apps/yespo-proxy/",
}


def ok(answer: httpx.Response, status: int = 200) -> httpx.Response:
    """Exactly this status, labelled JSON, never cached (contract 2.3, 2.5)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON
    assert answer.headers["cache-control"] == "no-store"
    return answer


async def add(api: Api, **contact: Any) -> int:
    return int(ok(await api.post("/api/v1/contact", contact)).json()["id"])


async def anna(api: Api) -> int:
    return await add(
        api, channels=[{"type": "email", "value": "anna@example.com"}], externalCustomerId="CRM-1001"
    )


async def test_add_contact(api: Api) -> None:
    contact_id = await add(
        api,
        channels=[{"type": "email", "value": "anna@example.com"}],
        firstName="Anna",
        externalCustomerId="CRM-1001",
    )
    read = ok(await api.get(f"/api/v1/contact/{contact_id}")).json()
    assert read["externalCustomerId"] == "CRM-1001"
    assert read["channels"] == [{"type": "email", "value": "anna@example.com"}]
    assert "id" not in ok(await api.get("/api/v1/account/info")).json()
    found = ok(await api.get("/api/v1/contacts?email=ANNA@example.com"))
    assert ([row["id"] for row in found.json()], found.headers["TotalCount"]) == ([contact_id], "1")


async def test_add_domain(api: Api) -> None:
    assert ok(await api.get("/api/v1/site/domains")).json() == []
    made = ok(await api.post("/api/v1/site/domains", {"domain": "shop.example.com"}), 201).json()
    assert set(made) == {"domain", "siteId"}
    assert made["domain"] == "shop.example.com"
    again = ok(await api.post("/api/v1/site/domains", {"domain": "https://shop.example.com/"}))
    assert again.json() == made
    assert ok(await api.get("/api/v1/site/domains")).json() == [made]
    script = await api.get("/api/v1/site/script")
    assert "eS('init')" in script.text
    assert script.headers["content-type"].startswith("text/plain")


ORDER: dict[str, Any] = {
    "externalOrderId": "SO-1001",
    "externalCustomerId": "CRM-1001",
    "totalCost": 59.9,
    "status": "INITIALIZED",
    "date": "2025-05-04T10:11:10+03:00",
    "currency": "EUR",
    "email": "anna@example.com",
    "phone": "380501112233",
    "firstName": "Anna",
    "source": "online",
    "additionalInfo": {"coupon": "MAY"},
    "items": [
        {
            "externalItemId": "SKU-1",
            "name": "Mug",
            "category": "Mugs",
            "quantity": 2,
            "cost": 29.95,
            "url": "https://shop.example.com/mug",
            "imageUrl": "https://shop.example.com/mug.png",
        }
    ],
}


async def test_add_orders_bulk(api: Api) -> None:
    answer = ok(await api.post("/api/v1/orders", {"orders": [ORDER]}))
    assert (answer.content, answer.headers["content-length"]) == (b"", "0")
    bad = {**ORDER, "externalOrderId": "SO-1002", "date": "bad"}
    failed = ok(await api.post("/api/v1/orders", {"orders": [ORDER, bad]})).json()["failedOrders"]
    assert [element["order"] for element in failed] == [bad]
    assert failed[0]["error"].startswith("date:")
    assert len(await api.rows("select 1 from orders where org_id = %(org_id)s")) == 1


async def test_add_and_delete_unsubscribed_emails(api: Api) -> None:
    body = {"emails": ["anna@example.com", "bo@example.com"]}
    marked = "select count(*) from address where org_id = %(org_id)s and unsubscribed_at is not null"
    for action, count in (("add", 2), ("add", 2), ("delete", 0), ("delete", 0)):
        answer = ok(await api.post(f"/api/v1/emails/unsubscribed/{action}", body))
        assert (answer.content, answer.headers["content-length"]) == (b"", "0")
        assert await api.rows(marked) == [(count,)]


async def test_add_webpush_domain_singular_and_plural(api: Api) -> None:
    one = ok(await api.post("/api/v1/site/webpush/domain", PUSH_SITE)).json()
    assert one == {"success": {"domain": "https://shop.example.com", "status": "ok"}}
    many = ok(await api.post("/api/v1/site/webpush/domains", {"domains": [PUSH_SITE]})).json()
    assert many == {"success": [{"domain": "https://shop.example.com", "status": "ok"}]}
    assert ok(await api.get("/api/v1/site/webpush/domains")).json() == {"domains": [PUSH_SITE]}
    other = ok(await api.post("/api/v1/site/webpush/domain", {**PUSH_SITE, "serviceWorkerName": "sw.js"}))
    assert other.json()["errors"]["message"] == "Domain is already registered"
    path = "/api/v1/site/webpush/domains?domain=https://shop.example.com"
    ok(await api.delete(path))
    assert ok(await api.delete(path), 404).json()["status"] == 404


async def test_attach_to_a_segment_and_detach(api: Api) -> None:
    contact_id = await add(
        api,
        channels=[{"type": "email", "value": "anna@example.com"}],
        externalCustomerId="CRM-1001",
        groups=[{"name": "Customers"}],
    )
    groups = ok(await api.get("/api/v1/groups?name=custom"))
    (group,) = groups.json()
    assert group == {"id": group["id"], "name": "Customers", "type": "Static"}
    assert groups.headers["TotalCount"] == "1"
    path = f"/api/v1/group/{group['id']}/contacts"

    async def inside() -> list[int]:
        answer = ok(await api.get(path))
        assert answer.headers["TotalCount"] == str(len(answer.json()))
        return [row["id"] for row in answer.json()]

    by_id, by_external_id = {"contactIds": [contact_id]}, {"externalCustomerIds": ["CRM-1001"]}
    assert await inside() == [contact_id]
    assert ok(await api.post(f"{path}/detach", by_id)).text == "Contacts were detached"
    assert await inside() == []
    assert ok(await api.post(f"{path}/attach", by_external_id)).text == "Contacts were attached"
    assert await inside() == [contact_id]
    ok(await api.post(f"{path}/detach"))  # nobody named, not even a body: everybody
    assert await inside() == []
    ok(await api.post(f"{path}/attach", {"contactIds": [contact_id, 999_999_999]}))  # unknown ids are skipped
    assert await inside() == [contact_id]


async def test_bulk_contacts_until_finished(api: Api) -> None:
    call = {
        "contacts": [
            {
                "externalCustomerId": "1001",
                "firstName": "Anna",
                "channels": [{"type": "email", "value": "anna@example.com"}],
            },
            {"channels": [{"type": "email", "value": "bad@@example"}]},
        ],
        "dedupeOn": "email",
        "groupNames": ["Customers"],
        "restoreDeleted": False,
        "eventKeyForNewContacts": "newContact",
    }
    taken = ok(await api.post("/api/v1/contacts", call)).json()
    assert taken["id"] == 0
    assert taken["failedContacts"]["channels"] == [{"type": "email", "value": "bad@@example"}]
    assert "bad@@example" in taken["failedContacts"]["error"]
    path = f"/api/v1/importstatus/{taken['asyncSessionId']}"
    assert ok(await api.get(path)).json()["status"] == "STARTED"
    await api.run_jobs()
    done = ok(await api.get(path)).json()
    assert done["status"] == "FINISHED"
    ((contact_id,),) = await api.rows("select contact_id from contact where org_id = %(org_id)s")
    assert done["mapping"] == [{"dedupeValue": "anna@example.com", "contactId": contact_id}]


async def test_change_and_read_token_activity(api: Api) -> None:
    device = {"appId": APP, "os": "Android"}
    for token in ("tok1", "dJ:a-b_c:1"):
        await add(api, channels=[{"type": "mobilepush", "value": token, "device": device}])
        path = f"/api/v1/contact/token/activated/{APP}/{token}"
        assert ok(await api.get(path)).json() == {"active": True}
        assert ok(await api.put(path, {"active": False})).json() == {"active": False}
        assert ok(await api.get(path)).json() == {"active": False}
    unknown = f"/api/v1/contact/token/activated/{APP}/tok9"
    assert ok(await api.get(unknown), 404).json()["status"] == 404
    assert ok(await api.put(unknown, {"active": False}), 404).json()["status"] == 404


async def test_an_api_token_opens_the_event_methods_only(api: Api) -> None:
    contact_id = await anna(api)
    token = ok(await api.post("/api/v1/auth/token")).json()
    assert isinstance(token, str)
    bearer = {"Authorization": f"Bearer {token}"}
    event = {
        "eventTypeKey": "orderShipped",
        "keyValue": "anna@example.com",
        "params": [
            {"name": "EmailAddress", "value": "anna@example.com"},
            {"name": "items", "value": '[{"name":"Mug"}]'},
        ],
    }
    sent = ok(await api.post("/api/v1/event", event, key="", headers=bearer))
    assert (sent.content, sent.headers["content-length"]) == (b"", "0")
    assert len(await api.rows("select 1 from event where org_id = %(org_id)s")) == 1
    for method, path in (
        ("GET", "/api/v1/account/info"),
        ("GET", f"/api/v1/contact/{contact_id}"),
        ("DELETE", f"/api/v1/contact/{contact_id}"),
        ("POST", "/api/v1/auth/token"),
        ("POST", "/api/v1/orders"),
        ("GET", "/api/v4/contacts"),
    ):
        assert (await api.call(method, path, key="", headers=bearer)).status_code == 403, path
    # A token is no key, and a key is no token.
    assert (await api.post("/api/v1/event", event, key=token)).status_code == 401
    wrong = {"Authorization": f"Bearer {api.key}"}
    assert (await api.post("/api/v1/event", event, key="", headers=wrong)).status_code == 401


async def test_create_app_inbox_message(api: Api) -> None:
    message = {
        "name": "Bonus",
        "title": "A gift",
        "text": "You have 50 points",
        "link": "https://shop.example.com/bonus",
        "imageSource": "https://shop.example.com/b.png",
        "customData": '{"category":"bonus"}',
    }
    (message_id,) = ok(await api.post("/api/v1/messages/appinbox", message)).json().values()
    read = ok(await api.get(f"/api/v1/messages/appinbox/{message_id}")).json()
    assert read.items() >= {"id": message_id, **message}.items()


@pytest.mark.parametrize("path", ["/api/v1/version", "/api/v2/version"])
async def test_version_is_two_strings(api: Api, path: str) -> None:
    version = ok(await api.get(path)).json()
    assert version["protocolVersion"] == "1.0"
    assert isinstance(version["version"], str)


async def test_account_info(api: Api) -> None:
    assert ok(await api.get("/api/v1/account/info")).json() == {
        "userEmail": "owner@example.example.com",
        "organisationName": "Example Shop",
        "orgId": api.org_id,
    }


async def test_header_bytes_of_a_real_server(db: Database, database_url: str, tmp_path: Path) -> None:
    """Old clients look `TotalCount` up with regard to case, which only the bytes on the line can show."""
    secret = "chosen by chance for the tests of the wire"
    async with db.transaction() as connection:
        _, key = await create_organisation(
            connection, Keys.of(secret), name="Example Shop", owner="owner@example.com"
        )
    credentials = base64.b64encode(f":{key}".encode()).decode()

    def exchange(port: int, path: str) -> bytes:
        request = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
            line.sendall(request.encode())
            answer = b""
            while chunk := line.recv(65536):
                answer += chunk
        return answer

    def story() -> list[bytes]:
        with up(
            tmp_path, command="serve", PERIGEE_DATABASE_URL=database_url, PERIGEE_SECRET_KEY=secret
        ) as server:
            until(lambda: server.process.poll() is not None or server.get("/health") == 200)
            assert server.process.poll() is None, server.log()
            paths = ("/api/v1/contacts", "/api/v1/groups", "/api/v1/messages/email", "/api/v1/account/info")
            return [exchange(server.port, path) for path in paths]

    contacts, groups, messages, info = await asyncio.to_thread(story)
    for answer in (contacts, groups, messages):
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nTotalCount: 0\r\n" in answer
    assert b"content-type: application/json;charset=UTF-8\r\n" in info
    assert b"TotalCount:" not in info
