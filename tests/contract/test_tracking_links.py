"""TRACKING sections 4 and 9 over HTTP: web push for a page, links and placeholders of messages."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from perigee.lib.tokens import encode
from perigee.push.vapid import make_pair
from perigee.sending.tests.conftest import Sending, html
from perigee.testing.api import Api
from perigee.testing.wire import ok

SHOP = "https://shop.example.com"
BY_HAND = {
    "domain": SHOP,
    "serviceWorkerName": "sw.js",
    "serviceWorkerPath": "/push/yespo/",
    "serviceWorkerScope": "/push/yespo/",
}
EMAIL = {
    "name": "News",
    "from": '"Example Shop" <news@example.com>',
    "subject": "News",
    "htmlText": "<p>News</p>",
}
PLACES = ("https://esputnik.com", "https://yespo.io", "http://perigee.test")


@pytest.fixture
def sending(api: Api) -> Sending:
    return Sending(api)


async def mailed(sending: Sending, text: str) -> Any:
    """A mail of a broadcast with this text to Anna."""
    message = ok(await sending.api.post("/api/v1/messages/email", EMAIL | {"htmlText": text})).json()["id"]
    segment = await sending.shop.segment("All", [await sending.shop.person("anna@example.com")])
    ok(await sending.api.post("/api/v1/broadcast", {"messageId": message, "groups": [segment]}))
    await sending.shop.launch_due()
    (mail,) = await sending.mails()
    return mail


def paths(text: str, kind: str) -> list[str]:
    """Paths of our links of one kind (`u`, `v`, `c`) in a text."""
    parts = text.split(f"http://perigee.test/{kind}/")[1:]
    found = [f"/{kind}/" + part.partition('"')[0].partition("<")[0] for part in parts]
    return [path for path in found if not path.endswith(".0")]  # the link that nobody sees


@pytest.mark.parametrize("place", PLACES)
async def test_the_unsubscribe_placeholder_becomes_a_personal_page(sending: Sending, place: str) -> None:
    text = f'<p>News</p><a id="unsubscribe" href="{place}/unsubscribe">Unsubscribe</a>'
    body = html(await mailed(sending, text))
    assert f'"{place}/unsubscribe"' not in body
    (path,) = paths(body, "u")
    assert (await sending.api.get(path, key="")).status_code == 200
    state = "select unsubscribed_at is not null from address where org_id = %(org)s"
    assert await sending.shop.value(state) is False  # looking is not agreeing: two clicks
    done = await sending.api.call("POST", path, key="", data={"from": "page"})
    assert done.status_code == 200
    assert await sending.shop.value(state) is True


@pytest.mark.parametrize("place", PLACES)
async def test_the_view_placeholder_becomes_the_message_in_the_browser(sending: Sending, place: str) -> None:
    text = f'<p>News for you</p><a href="{place}/viewInBrowser">View</a>'
    body = html(await mailed(sending, text))
    assert f'"{place}/viewInBrowser"' not in body
    (path,) = paths(body, "v")
    shown = await sending.api.get(path, key="")
    assert shown.status_code == 200
    assert "News for you" in shown.text


async def test_a_bulk_email_without_a_way_out_gets_one_and_the_headers(sending: Sending) -> None:
    mail = await mailed(sending, "<html><body><p>News</p></body></html>")
    assert len(paths(html(mail), "u")) == 1
    assert str(mail["List-Unsubscribe"]).startswith("<http://perigee.test/u/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click = str(mail["List-Unsubscribe"]).strip("<>").removeprefix("http://perigee.test")
    answer = await sending.api.call("POST", one_click, key="", data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert await sending.shop.value("select unsubscribed_at is not null from address where org_id = %(org)s")


async def test_a_link_leads_through_us_to_its_target_and_counts(sending: Sending) -> None:
    body = html(await mailed(sending, f'<p>News</p><a href="{SHOP}/sale">Sale</a>'))
    (path,) = paths(body, "c")
    answer = await sending.api.get(path, key="")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{SHOP}/sale")
    clicked = "select count(*) from activity where org_id = %(org)s and status = 'CLICKED'"
    assert await sending.shop.value(clicked) == 1


async def test_links_of_an_sms_are_tracked_only_when_its_template_says_so(sending: Sending) -> None:
    for members, tracked in (({}, False), ({"trackUrls": True}, True)):
        body = {"name": "Sale", "from": "EXAMPLE", "text": f"Sale {SHOP}/sale", **members}
        message = ok(await sending.api.post("/api/v1/messages/sms", body)).json()["id"]
        await sending.smart(message, {"locator": "380501112233"})
        _, _, text = (await sending.arrived())[-1]
        assert ("http://perigee.test/s/" in text) is tracked


async def test_a_plugin_sets_web_push_up_in_three_steps(api: Api) -> None:
    ok(await api.post("/api/v1/site/webpush/domain", BY_HAND))
    made = ok(await api.get(f"/api/v1/site/webpush/script?domain={SHOP}")).json()
    key = made["script"].split("/webpush/")[1].partition(".js")[0]
    page = await api.get(f"/webpush/{key}.js", key="")
    assert page.headers["content-type"].startswith("text/javascript")
    assert '"/push/yespo/sw.js"' in page.text
    for word in (
        "pushOn",
        "getPushToken",
        "sendEvent",
        "es-push-prompt-init",
        "relUrl",
        "esWebPushContactId",
    ):
        assert word in page.text, word
    worker = await api.get("/service-worker.js", key="")
    assert (worker.status_code, worker.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "importScripts('http://perigee.test/service-worker.js')" in made["serviceWorker"]


async def test_a_new_subscription_makes_a_contact_with_a_web_push_channel(api: Api) -> None:
    ok(await api.post("/api/v1/site/webpush/domain", BY_HAND))
    made = ok(await api.get(f"/api/v1/site/webpush/script?domain={SHOP}")).json()
    subscription = {
        "endpoint": "https://fcm.googleapis.com/fcm/send/1",
        "keys": {"p256dh": make_pair().public, "auth": encode(secrets.token_bytes(16))},
    }
    body = {
        "site": made["script"].split("/webpush/")[1].partition(".js")[0],
        "subscription": subscription,
        "language": "en",
        "page": f"{SHOP}/mugs",
    }
    joined = await api.post("/webpush/subscriptions", body, key="", headers={"origin": SHOP})
    assert joined.status_code == 200, joined.text
    contact = ok(await api.get(f"/api/v1/contact/{joined.json()['contactId']}")).json()
    (channel,) = contact["channels"]
    assert (channel["type"], channel["value"]) == ("webpush", joined.json()["token"])
    assert "webPushSubscription" in channel
