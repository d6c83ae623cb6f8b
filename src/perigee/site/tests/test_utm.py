"""From a campaign's link to a visitor who is known: the redirect's tags are what the script reads (TRACKING 1.3, 9)."""

from __future__ import annotations

import re
from email import message_from_bytes, policy

import pytest

from perigee.settings import Settings
from perigee.testing.api import Api
from perigee.testing.browser import SECURE, Web
from perigee.testing.sending import Shop

pytestmark = pytest.mark.browser

SHOP = "https://shop.example.com/a"


@pytest.fixture
def settings() -> Settings:
    return SECURE


@pytest.mark.parametrize("on", [True, False])
async def test_who_clicks_in_a_message_is_known_on_the_site(api: Api, web: Web, on: bool) -> None:
    await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
    web.put(SHOP, "<!doctype html><title>Shop</title>" + (await api.get("/api/v1/site/script")).text)
    shop = Shop(api.db, api.org_id)
    await api.call("PATCH", "/api/v4/organisation", {"utm": on})
    anna = await shop.person("anna@example.com")
    await shop.started([anna])
    await shop.run_sender()
    ((body,),) = await api.rows("select body from sandbox_message where org_id = %(org_id)s")
    mail = message_from_bytes(body, policy=policy.default).get_body(("html",))
    assert mail is not None
    found = re.search(r"/c/[^\s\"'<>]+", str(mail.get_content()))
    assert found is not None
    answer = await api.call("GET", found[0], key="")
    assert answer.headers["location"].startswith(SHOP)

    page = await web.context.new_page()
    await page.goto(answer.headers["location"])
    for _ in range(100):
        if rows := await api.rows("select contact_id from event where org_id = %(org_id)s"):
            break
        await page.wait_for_timeout(50)
    assert rows == [(anna if on else None,)]
