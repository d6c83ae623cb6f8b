"""Subscriptions of browsers and what comes of them (TRACKING 4.2, 4.3; product 2 and 10; protocols 2.8)."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from perigee.lib.tokens import encode
from perigee.push.user_agent import parse
from perigee.push.vapid import make_pair
from perigee.push.webpush_intake import is_service
from perigee.push.webpush_types import token_of
from perigee.testing.api import Api, make_organisation

DOMAIN = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "sw.js",
    "serviceWorkerPath": "/push/",
    "serviceWorkerScope": "/push/",
}
CHROME = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.1.2 Mobile Safari/537.36"
VISITOR = "CDA68358-0000-4000-8000-3FEB3C4114A3"


def subscription(endpoint: str | None = None) -> dict[str, Any]:
    return {
        "endpoint": endpoint or f"https://fcm.googleapis.com/fcm/send/{secrets.token_hex(8)}",
        "keys": {"p256dh": make_pair().public, "auth": encode(secrets.token_bytes(16))},
    }


class Shop:
    def __init__(self, api: Api, key: str, site_id: str) -> None:
        self.api = api
        self.key = key
        self.site_id = site_id

    async def post(
        self, path: str, body: Any, origin: str | None = "https://shop.example.com"
    ) -> httpx.Response:
        headers = {"user-agent": CHROME} | ({"origin": origin} if origin else {})
        return await self.api.post(f"/webpush/{path}", {"site": self.key, **body}, key="", headers=headers)

    async def subscribe(self, endpoint: str | None = None, **more: Any) -> httpx.Response:
        return await self.post("subscriptions", {"subscription": subscription(endpoint), **more})

    async def track(self, **general: Any) -> None:
        info = {"eventName": "PageView", "siteId": self.site_id, "cookies": {"sc": VISITOR}, **general}
        assert (await self.api.post("/tracker/api/v2", {"GeneralInfo": info}, key="")).status_code == 200

    async def contact(self, email: str = "anna@example.com") -> int:
        body = {"channels": [{"type": "email", "value": email}]}
        return int((await self.api.post("/api/v1/contact", body)).json()["id"])

    async def tokens(self) -> list[tuple[str, int]]:
        return await self.api.rows(
            "select token, contact_id from push_token where org_id = %(org_id)s order by token_id"
        )

    async def living(self) -> list[int]:
        rows = await self.api.rows(
            "select contact_id from contact where org_id = %(org_id)s and deleted_at is null order by 1"
        )
        return [row[0] for row in rows]

    async def events(self) -> list[Any]:
        return await self.api.rows(
            """select t.key, e.contact_id, e.event_key, e.params from event e join event_type t
               using (org_id, event_type_id) where e.org_id = %(org_id)s order by e.event_id"""
        )


@pytest.fixture
async def shop(api: Api) -> Shop:
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    script = (await api.get("/api/v1/site/webpush/script?domain=shop.example.com")).json()["script"]
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    return Shop(api, script.split("/webpush/")[1].split(".js")[0], site["siteId"])


async def test_a_new_subscription_makes_a_contact_with_a_webpush_channel(shop: Shop) -> None:
    answer = await shop.subscribe(
        language="uk-UA", page="https://shop.example.com/a?b=1#c", workerVersion="1"
    )
    assert answer.status_code == 200
    token, contact_id = answer.json()["token"], answer.json()["contactId"]
    contact = (await shop.api.get(f"/api/v1/contact/{contact_id}")).json()
    (channel,) = contact["channels"]
    assert (channel["type"], channel["value"]) == ("webpush", token)
    about = channel["webPushSubscription"]
    assert about["userAgent"] == "Chrome"
    assert about["userAgentVersion"] == "126.0.1.2"
    assert about["userAgentLanguage"] == "uk-UA"
    assert about["os"] == "Android"
    assert about["subscriptionPage"] == "https://shop.example.com/a?b=1"
    assert about["swActiveVersion"] == "1"
    assert about["ip"] == "127.0.0.1"
    assert int(about["appId"]) >= 1
    assert contact["languageCode"] == "uk-UA"


async def test_what_a_push_is_sent_with_is_kept_and_the_address_is_not_shown(shop: Shop) -> None:
    given = subscription("https://fcm.googleapis.com/fcm/send/secret-address")
    answer = await shop.post("subscriptions", {"subscription": given})
    ((endpoint, p256dh, auth),) = await shop.api.rows(
        "select endpoint, p256dh, auth from webpush_subscription where org_id = %(org_id)s"
    )
    assert endpoint == given["endpoint"]
    assert encode(bytes(p256dh)) == given["keys"]["p256dh"]
    assert encode(bytes(auth)) == given["keys"]["auth"]
    assert answer.json()["token"] == token_of(given["endpoint"])
    assert "secret-address" not in (await shop.api.get(f"/api/v1/contact/{answer.json()['contactId']}")).text


async def test_subscribing_raises_an_event_once(shop: Shop) -> None:
    endpoint = "https://fcm.googleapis.com/fcm/send/1"
    first = (await shop.subscribe(endpoint, language="uk", page="https://shop.example.com/")).json()
    again = (await shop.subscribe(endpoint, language="uk")).json()
    assert again == first
    ((key, contact, event_key, params),) = await shop.events()
    assert (key, contact, event_key) == ("newWebpushSubscription", first["contactId"], first["token"])
    assert params == {
        "pushToken": first["token"],
        "os": "Android",
        "browser": "Chrome",
        "language": "uk",
        "page": "https://shop.example.com/",
        "contactId": str(first["contactId"]),
    }
    assert len(await shop.tokens()) == 1


@pytest.mark.parametrize("link", [True, False])
async def test_a_browser_that_is_known_joins_its_contact(shop: Shop, link: bool) -> None:
    anna = await shop.contact()
    if not link:
        await shop.track(user_email="anna@example.com")
    answer = await shop.subscribe(visitor=VISITOR, **({"contactId": str(anna)} if link else {}))
    assert answer.json()["contactId"] == anna
    assert await shop.living() == [anna]


async def test_a_browser_known_later_joins_the_older_contact_with_all_it_did(shop: Shop) -> None:
    anna = await shop.contact()
    made = (await shop.subscribe(visitor=VISITOR)).json()
    await shop.track()
    assert {event[1] for event in await shop.events()} == {made["contactId"]}
    await shop.track(user_es_contact_id=str(anna))
    assert await shop.tokens() == [(made["token"], anna)]
    assert {event[1] for event in await shop.events()} == {anna}
    assert await shop.living() == [anna]


async def test_a_subscription_written_while_its_visitor_was_bound_joins_at_the_next_sight(shop: Shop) -> None:
    anna = await shop.contact()
    token = (await shop.subscribe(visitor=VISITOR)).json()["token"]
    await shop.api.rows(
        "update visitor set contact_id = %(anna)s, bound_by = 3 where org_id = %(org_id)s", anna=anna
    )
    await shop.track()
    assert await shop.tokens() == [(token, anna)]


async def test_a_contact_with_an_address_of_its_own_stays_when_its_browser_moves_on(shop: Shop) -> None:
    anna, boris = await shop.contact(), await shop.contact("boris@example.com")
    await shop.track(user_email="anna@example.com")
    token = (await shop.subscribe(visitor=VISITOR)).json()["token"]
    await shop.track(user_email="boris@example.com")
    assert await shop.tokens() == [(token, boris)]
    assert await shop.living() == [anna, boris]


async def test_the_language_of_the_browser_fills_only_an_empty_field(shop: Shop) -> None:
    anna = await shop.contact()
    await shop.api.put(
        f"/api/v1/contact/{anna}",
        {"languageCode": "en", "channels": [{"type": "email", "value": "anna@example.com"}]},
    )
    await shop.subscribe(contactId=anna, language="uk")
    contact = (await shop.api.get(f"/api/v1/contact/{anna}")).json()
    assert contact["languageCode"] == "en"
    assert {channel["type"] for channel in contact["channels"]} == {"email", "webpush"}


async def test_a_link_to_nobody_or_to_a_deleted_contact_makes_a_new_one(shop: Shop) -> None:
    anna = await shop.contact()
    await shop.api.delete(f"/api/v1/contact/{anna}")
    _, key = await make_organisation(shop.api.db, "Other Shop")
    body = {"channels": [{"type": "email", "value": "x@example.com"}]}
    theirs = (await shop.api.post("/api/v1/contact", body, key=key)).json()["id"]
    for contact in (anna, theirs, 999_999_999, "x", -1):
        answer = await shop.subscribe(contactId=contact)
        assert answer.status_code == 200
        assert answer.json()["contactId"] not in (anna, theirs)
    assert anna not in await shop.living()


async def test_a_new_address_of_the_same_browser_replaces_the_old_one(shop: Shop) -> None:
    first = (await shop.subscribe()).json()
    second = (await shop.subscribe(replaces=first["token"])).json()
    assert second["contactId"] == first["contactId"]
    assert await shop.tokens() == [(second["token"], first["contactId"])]
    assert len(await shop.api.rows("select 1 from webpush_subscription where org_id = %(org_id)s")) == 1


async def test_erasing_the_contact_takes_the_subscription_along(shop: Shop) -> None:
    made = (await shop.subscribe(visitor=VISITOR)).json()
    assert (await shop.api.delete(f"/api/v1/contact/{made['contactId']}?erase=true")).status_code == 200
    for table in ("push_token", "webpush_subscription", "visitor", "event"):
        assert await shop.api.rows(f"select 1 from {table} where org_id = %(org_id)s") == [], table


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "http://fcm.googleapis.com/x"}, "subscription.endpoint"),
        ({"endpoint": "https://127.0.0.1/x"}, "subscription.endpoint"),
        ({"endpoint": "https://fcm.googleapis.com.evil.example/x"}, "subscription.endpoint"),
        ({"endpoint": "https://fcm.googleapis.com:8443/x"}, "subscription.endpoint"),
        (
            {"keys": {"p256dh": encode(b"\x04" + b"\x01" * 64), "auth": encode(b"a" * 16)}},
            "subscription.keys.p256dh",
        ),
        ({"keys": {"p256dh": "x", "auth": encode(b"a" * 16)}}, "subscription.keys.p256dh"),
        ({"keys": {"p256dh": make_pair().public, "auth": encode(b"a" * 15)}}, "subscription.keys.auth"),
    ],
)
async def test_a_subscription_is_checked_as_public_input(
    shop: Shop, change: dict[str, Any], field: str
) -> None:
    answer = await shop.post("subscriptions", {"subscription": subscription() | change})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await shop.tokens() == []


async def test_only_pages_of_the_domain_may_subscribe(shop: Shop) -> None:
    body = {"subscription": subscription()}
    assert (await shop.post("subscriptions", body, "https://evil.example")).status_code == 403
    assert (await shop.post("subscriptions", body, None)).status_code == 200
    assert (await shop.post("subscriptions", {**body, "site": "unknown"})).json()["field"] == "site"


def test_names_of_push_services() -> None:
    services = ["fcm.googleapis.com", "*.push.apple.com"]
    assert is_service("fcm.googleapis.com", services)
    assert is_service("web.push.apple.com", services)
    assert not is_service("push.apple.com", services)
    assert not is_service("evilpush.apple.com", services)


async def test_an_event_of_a_page_belongs_to_its_token_whatever_its_parameters_say(shop: Shop) -> None:
    await shop.contact()
    made = (await shop.subscribe()).json()
    params = [{"name": "email", "value": "anna@example.com"}, {"name": "size", "value": "XL"}]
    answer = await shop.post("events", {"eventTypeKey": "quizDone", "token": made["token"], "params": params})
    assert (answer.status_code, answer.content) == (200, b"")
    key, contact, event_key, stored = (await shop.events())[-1]
    assert (key, contact, event_key) == ("quizDone", made["contactId"], made["token"])
    assert stored == {"email": "anna@example.com", "size": "XL"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": "unknown"}, 404),
        ({"token": None}, 400),
        ({"eventTypeKey": " "}, 400),
        ({"eventTypeKey": "a<b"}, 400),
        ({"eventTypeKey": "orderCreated"}, 400),
    ],
)
async def test_an_event_that_is_refused(shop: Shop, change: dict[str, Any], status: int) -> None:
    made = (await shop.subscribe()).json()
    answer = await shop.post("events", {"eventTypeKey": "quizDone", "token": made["token"]} | change)
    assert answer.status_code == status
    assert [event[0] for event in await shop.events()] == ["newWebpushSubscription"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (CHROME, ("Chrome", "126.0.1.2", "Android")),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", ("Firefox", "127.0", "Windows")),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Safari/605.1.15", ("Safari", "17.4", "macOS")),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.5", ("Edge", "126.0.5", "Linux")),
        ("", (None, None, None)),
    ],
)  # fmt: skip
def test_browser_and_system(header: str, found: tuple[str | None, ...]) -> None:
    assert tuple(parse(header)) == found
