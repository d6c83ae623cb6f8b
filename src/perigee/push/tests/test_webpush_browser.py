"""Web push in a browser: the page's script and the worker (TRACKING 4). Push services are stubbed: there is no network."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perigee.delivery.channels.webpush import notification
from perigee.push.vapid import make_pair
from perigee.push.webpush_types import token_of
from perigee.settings import Settings
from perigee.testing.browser import SECURE, Web

if TYPE_CHECKING:
    from playwright.async_api import Page, Request

pytestmark = pytest.mark.browser

SHOP = "https://shop.example.com/"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/1"

_PUSH_SERVICE = """
(function () {
  var own = null;
  function bytes(text) {
    return Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), function (c) { return c.charCodeAt(0); });
  }
  function subscription(key) {
    return {
      endpoint: 'ENDPOINT', options: {applicationServerKey: key},
      toJSON: function () {
        return {endpoint: 'ENDPOINT', keys: {p256dh: 'P256DH', auth: 'AAAAAAAAAAAAAAAAAAAAAA'}};
      },
      unsubscribe: function () { own = null; return Promise.resolve(true); }
    };
  }
  PushManager.prototype.subscribe = function (options) {
    own = subscription(options.applicationServerKey.buffer);
    return Promise.resolve(own);
  };
  PushManager.prototype.getSubscription = function () {
    if (!own && 'SITE') own = subscription(bytes('SITE').buffer);
    return Promise.resolve(own);
  };
})();
"""


def push_service(site: str = "") -> str:
    """Stands in for the browser's push service; `site`: already subscribed under this key."""
    return (
        _PUSH_SERVICE.replace("ENDPOINT", ENDPOINT)
        .replace("P256DH", make_pair().public)
        .replace("SITE", site)
    )


@pytest.fixture
def settings() -> Settings:
    return SECURE


class Shop:
    def __init__(self, web: Web, script: str, worker: str) -> None:
        self.web = web
        self.script = script
        self.worker = worker
        self.key = script.split("/webpush/")[1].split(".js")[0]

    async def open(self, *, before: str = "", after: str = "", site_script: str = "") -> Page:
        await self.web.context.grant_permissions(["notifications"], origin=SHOP)
        html = f"<!doctype html><title>Shop</title><script>{push_service()}{before}</script>{site_script}"
        self.web.put(SHOP, f"{html}{self.script}<script>{after}</script>")
        self.web.put(SHOP + "push/sw.js", push_service(self.key) + self.worker, "text/javascript")
        page = await self.web.context.new_page()
        await page.goto(SHOP)
        return page

    async def rows(self, query: str) -> list[Any]:
        return await self.web.api.rows(query)


@pytest.fixture
async def shop(web: Web) -> Shop:
    await web.api.post(
        "/api/v1/site/webpush/domain",
        {
            "domain": SHOP.rstrip("/"),
            "serviceWorkerName": "sw.js",
            "serviceWorkerPath": "/push/",
            "serviceWorkerScope": "/push/",
        },
    )
    answer = (await web.api.get(f"/api/v1/site/webpush/script?domain={SHOP}")).json()
    return Shop(web, answer["script"], answer["serviceWorker"])


async def test_push_on_registers_the_worker_and_subscribes(shop: Shop) -> None:
    page = await shop.open(after="es('getPushToken', function (token) { window.told = token; })")
    token = await shop.web.until(page, "window.told")
    assert token == token_of(ENDPOINT)
    ((stored, contact, language, subscription_page),) = await shop.rows(
        """select token, contact_id, device ->> 'userAgentLanguage', device ->> 'subscriptionPage'
           from push_token where org_id = %(org_id)s"""
    )
    assert (stored, language, subscription_page) == (token, "uk-UA", SHOP)
    assert await page.evaluate("localStorage.esWebPushContactId") == str(contact)
    scope = await page.evaluate(
        "navigator.serviceWorker.getRegistrations().then(all => all.map(one => one.scope))"
    )
    assert scope == [SHOP + "push/"]


async def test_another_worker_file_may_be_named(shop: Shop) -> None:
    shop.script = shop.script.replace("es('pushOn');", "")
    shop.web.put(SHOP + "own-worker.js", push_service(shop.key) + shop.worker, "text/javascript")
    page = await shop.open(after="es('pushOn', {'service-worker': {'relUrl': '/own-worker.js'}})")
    await page.wait_for_function("localStorage.esPushToken")
    worker = await page.evaluate(
        "navigator.serviceWorker.getRegistration('/').then(one => one.active.scriptURL)"
    )
    assert worker == SHOP + "own-worker.js"


async def test_a_subscription_is_told_once(shop: Shop) -> None:
    page = await shop.open()
    await page.wait_for_function("localStorage.esPushToken")
    await page.reload()
    await page.wait_for_function("window._esWebPush")
    await page.evaluate("new Promise(resolve => es('getPushToken', resolve))")
    await page.wait_for_timeout(300)
    assert shop.web.asked.count("POST /webpush/subscriptions") == 1


async def test_a_click_on_an_element_of_the_page_asks(shop: Shop) -> None:
    shop.script = shop.script.replace("es('pushOn');", "")
    page = await shop.open()
    await page.wait_for_function("window._esWebPush")
    await page.evaluate(
        "document.body.innerHTML = '<p class=es-push-prompt-init><b>News?</b></p><i>other</i>'"
    )
    await page.click("i")
    await page.wait_for_timeout(200)
    assert "POST /webpush/subscriptions" not in shop.web.asked
    await page.click("b")
    await page.wait_for_function("localStorage.esPushToken")


async def test_the_visitor_of_the_tracking_script_is_the_subscriptions(shop: Shop) -> None:
    await shop.web.api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
    made = await shop.web.api.post(
        "/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]}
    )
    page = await shop.open(
        site_script=(await shop.web.api.get("/api/v1/site/script")).text,
        after="eS('sendEvent', 'CustomerData', {CustomerData: {user_email: 'anna@example.com'}})",
    )
    await page.wait_for_function("localStorage.esPushToken")
    for _ in range(50):
        holders = await shop.rows("select contact_id from push_token where org_id = %(org_id)s")
        if holders == [(made.json()["id"],)]:
            break
        await page.wait_for_timeout(50)
    assert holders == [(made.json()["id"],)]


async def test_a_page_sends_an_event_for_its_token(shop: Shop) -> None:
    page = await shop.open(
        after="es('getPushToken', token => es('sendEvent', 'quizDone', token, [{name: 'size', value: 'XL'}]))"
    )
    for _ in range(100):
        rows = await shop.rows(
            """select e.params from event e join event_type t using (org_id, event_type_id)
               where e.org_id = %(org_id)s and t.key = 'quizDone'"""
        )
        if rows:
            break
        await page.wait_for_timeout(50)
    assert rows == [({"size": "XL"},)]


async def deliver(page: Page, message: Any) -> None:
    """A push that arrives, as Chromium's own tools make one."""
    tools = await page.context.new_cdp_session(page)
    registrations: list[dict[str, Any]] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(event["registrations"]),
    )
    await tools.send("ServiceWorker.enable")
    for _ in range(100):
        if registrations:
            break
        await page.wait_for_timeout(50)
    await tools.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": SHOP,
            "registrationId": registrations[0]["registrationId"],
            "data": message if isinstance(message, str) else json.dumps(message),
        },
    )


SHOWN = """navigator.serviceWorker.getRegistration('/push/').then(one => one.getNotifications()).then(all =>
  all.length && all.map(one => ({title: one.title, body: one.body, tag: one.tag, data: one.data,
    actions: one.actions.map(action => action.title), icon: one.icon, image: one.image})))"""


CLICK = """async action => {
  const opened = [];
  Clients.prototype.openWindow = url => { opened.push(url); return Promise.resolve(null); };
  const [notification] = await registration.getNotifications();
  self.dispatchEvent(new NotificationEvent('notificationclick', {notification, action}));
  return [opened, (await registration.getNotifications()).length];
}"""


async def until(page: Page, reports: list[Any], count: int) -> list[Any]:
    """The reports, once there are so many."""
    for _ in range(100):
        if len(reports) >= count:
            break
        await page.wait_for_timeout(50)
    return reports


async def test_the_worker_shows_a_message_opens_its_link_and_reports_both(shop: Shop) -> None:
    page = await shop.open()
    await page.wait_for_function("localStorage.esPushToken")
    reports: list[Any] = []

    def note(request: Request) -> None:
        if request.url.endswith("/reports"):
            reports.append(json.loads(request.post_data or ""))

    page.context.on("request", note)
    await deliver(
        page,
        {
            "es_interaction_id": "99d591ab-0000-4000-8000-000000000001",
            "es_title": "A gift",
            "es_content": "50 points",
            "es_link": "https://perigee.test/c/abc",
            "es_link_raw": "https://shop.example.com/bonus",
            "tag": "t1",
            "es_buttons": [
                {"title": "Take", "link": "https://perigee.test/c/def"},
                {"title": "No", "link": "javascript:x"},
            ],
        },
    )
    (shown,) = await shop.web.until(page, SHOWN)
    assert (shown["title"], shown["body"], shown["tag"]) == ("A gift", "50 points", "t1")
    assert shown["actions"] == ["Take", "No"]
    assert shown["data"]["links"][""] == "https://perigee.test/c/abc"
    assert shown["data"]["links"]["b0"] == "https://perigee.test/c/def"
    seen = {
        "site": shop.key,
        "token": token_of(ENDPOINT),
        "interactionId": "99d591ab-0000-4000-8000-000000000001",
        "status": "DELIVERED",
    }
    assert await until(page, reports, 1) == [seen]
    opened, left = await page.context.service_workers[0].evaluate(CLICK, "b0")
    assert (opened, left) == (["https://perigee.test/c/def"], 0)
    assert await until(page, reports, 2) == [seen, seen | {"status": "CLICKED"}]


async def test_a_message_as_the_channel_makes_it_is_shown_with_its_image_icon_and_buttons(shop: Shop) -> None:
    page = await shop.open()
    await page.wait_for_function("localStorage.esPushToken")
    iid = "99d591ab-0000-4000-8000-000000000002"
    content = {
        "title": "Sale",
        "text": "50 %",
        "link": "https://perigee.test/c/abc",
        "linkRaw": "https://shop.example.com/sale",
        "iconSource": "https://shop.example.com/icon.png",
        "imageSource": "https://shop.example.com/big.png",
        "buttons": [{"label": "Buy", "link": "https://perigee.test/c/def"}, {"label": "See"}],
    }
    await deliver(page, notification.read(json.dumps(content).encode(), iid).body.decode())
    (shown,) = await shop.web.until(page, SHOWN)
    assert (shown["title"], shown["body"], shown["tag"]) == ("Sale", "50 %", iid)
    assert (shown["icon"], shown["image"]) == (content["iconSource"], content["imageSource"])
    assert shown["actions"] == ["Buy", "See"]
    opened, _ = await page.context.service_workers[0].evaluate(CLICK, "b1")
    assert opened == ["https://perigee.test/c/abc"], "a button without a link leads where the message leads"


@pytest.mark.parametrize("message", ["{}", '{"another": "script"}', ""])
async def test_a_push_that_is_not_ours_is_left_alone(shop: Shop, message: str) -> None:
    page = await shop.open()
    await page.wait_for_function("localStorage.esPushToken")
    await deliver(page, message)
    await deliver(page, {"es_title": "Ours"})
    assert [one["title"] for one in await shop.web.until(page, SHOWN)] == ["Ours"]
