"""The widget in a browser: a shop's page on another origin, the token that its server got, real CORS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from perigee.appinbox.tests.conftest import Inbox
from perigee.settings import Settings
from perigee.testing.api import Api
from perigee.testing.browser import SECURE, US, Web

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

SHOP = "https://shop.example.com/"
BONUS = "https://shop.example.com/bonus"
POLICY = f"default-src 'none'; connect-src {US} {SHOP}; script-src {US} 'nonce-1'; img-src *"
"""As strict as shops have it: no inline style, no evaluated script."""


@pytest.fixture
def settings() -> Settings:
    return SECURE


async def test_the_script_is_one_file_for_every_site(api: Api) -> None:
    first = await api.get("/scripts/app-inbox.js", key="")
    assert first.status_code == 200
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["access-control-allow-origin"] == "*"
    assert f'({{"base":"{US}"}})' in first.text
    again = await api.get("/scripts/app-inbox.js", key="", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert len(first.content) < 20_000


class Shop:
    def __init__(self, web: Web, inbox: Inbox, contact_id: int) -> None:
        self.web = web
        self.inbox = inbox
        self.contact_id = contact_id
        self.warned: list[str] = []

    async def put(self, **message: Any) -> str:
        return await self.inbox.put(self.contact_id, **message)

    async def token(self) -> str:
        return await self.inbox.token(email="anna@example.com")

    async def open(self, token: str | None = None, *, source: str = "", options: str = "every: 0") -> Page:
        """A page with the widget, once its bell is there. `source`: JavaScript in place of the token."""
        given = source or json.dumps(await self.token() if token is None else token)
        self.web.put(
            SHOP,
            f"""<!doctype html><html lang="en"><title>Shop</title>
            <meta http-equiv="Content-Security-Policy" content="{POLICY}"><div id="inbox"></div>
            <script src="{US}/scripts/app-inbox.js"></script>
            <script nonce="1">window.widget = PerigeeInbox.init({{token: {given}, target: '#inbox', {options}}});
            </script>""",
        )
        self.web.put(BONUS, "<!doctype html><title>Bonus</title>")
        page = await self.web.context.new_page()
        page.on("console", lambda message: self.warned.append(message.text))
        page.on("pageerror", lambda error: self.warned.append(str(error)))
        await page.goto(SHOP)
        if not source and token != "":
            await page.wait_for_selector(".bell")
        return page

    async def statuses(self) -> dict[str, bool]:
        """Whether opened, by title."""
        rows = await self.inbox.api.rows(
            "select title, opened_at is not null from inbox_message where org_id = %(org_id)s"
        )
        return dict(rows)


@pytest.fixture
async def shop(web: Web) -> Shop:
    inbox = Inbox(web.api)
    return Shop(web, inbox, await inbox.contact(email="anna@example.com"))


async def open_list(page: Page) -> None:
    await page.click(".bell")
    await page.wait_for_selector(".message, .note:not([hidden])")


@pytest.mark.browser
class TestInABrowser:
    async def test_the_bell_counts_and_the_list_shows_under_a_strict_policy(self, shop: Shop) -> None:
        await shop.put(title="First")
        await shop.put(title="Second", text="50 points", imageSource="https://shop.example.com/b.png")
        page = await shop.open()
        assert await page.text_content(".count") == "2"
        assert await page.get_attribute(".bell", "aria-label") == "Messages (2 unread)"
        await open_list(page)
        assert await page.locator(".message.new .title").all_text_contents() == ["Second", "First"]
        assert await page.get_attribute(".message img", "src") == "https://shop.example.com/b.png"
        position = (
            "getComputedStyle(document.querySelector('#inbox').firstChild.shadowRoot.querySelector('.panel'))"
        )
        assert await page.evaluate(f"{position}.position") == "absolute"
        assert await shop.statuses() == {"First": False, "Second": False}
        await page.keyboard.press("Escape")
        assert await page.is_hidden(".panel")
        assert [text for text in shop.warned if "b.png" not in text and "404" not in text] == []

    async def test_a_message_that_is_chosen_is_opened_and_its_link_followed(self, shop: Shop) -> None:
        await shop.put(title="Gift", link=BONUS)
        await shop.put(title="Other")
        page = await shop.open()
        await open_list(page)
        await page.click("text=Gift")
        await page.wait_for_url(BONUS)
        assert await shop.statuses() == {"Gift": True, "Other": False}

    async def test_a_message_without_a_link_is_opened_where_it_is_and_only_once(self, shop: Shop) -> None:
        await shop.put(title="Gift")
        await shop.put(title="Other")
        page = await shop.open()
        await open_list(page)
        await page.press(".message:has-text('Gift')", "Enter")
        await page.wait_for_selector(".message:not(.new)")
        assert await page.text_content(".count") == "1"
        await page.click("text=Gift")
        await page.evaluate("widget.refresh()")
        assert page.url == SHOP
        assert await page.text_content(".count") == "1"
        assert shop.web.asked.count("POST /appinbox/v1/messages/status") == 1

    async def test_all_are_marked(self, shop: Shop) -> None:
        await shop.put(title="A")
        await shop.put(title="B")
        page = await shop.open()
        await open_list(page)
        await page.click(".all")
        await page.wait_for_selector(".count", state="hidden")
        assert await page.locator(".message.new").count() == 0
        assert await page.is_hidden(".all")
        assert await shop.statuses() == {"A": True, "B": True}

    async def test_later_pages_are_shown_when_asked_for(self, shop: Shop) -> None:
        for number in range(25):
            await shop.put(title=f"M{number}")
        page = await shop.open()
        await open_list(page)
        assert await page.locator(".message").count() == 20
        await shop.put(title="New")  # moves the twentieth to the next page
        await page.click(".more")
        await page.wait_for_selector("text=M0")
        titles = await page.locator(".title").all_text_contents()
        assert titles == [f"M{number}" for number in range(24, -1, -1)]
        assert await page.is_hidden(".more")

    async def test_what_a_message_holds_never_becomes_a_part_of_the_page(self, shop: Shop) -> None:
        await shop.put(
            title="<img src=x onerror='window.hit=1'>Title",
            text="<b onclick='window.hit=2'>Bold</b> &amp; <a href='javascript:window.hit=3'>link</a>"
            "<img src=x onerror='window.hit=4'><script>window.hit=5</script><style>*{display:none}</style>"
            "<svg onload='window.hit=6'><p id=x style='position:fixed'>deep</p></svg><iframe srcdoc='x'></iframe>",
            link="javascript:window.hit=7",
            imageSource="javascript:window.hit=8",
        )
        page = await shop.open()
        await open_list(page)
        assert await page.text_content(".title") == "<img src=x onerror='window.hit=1'>Title"
        inner = await page.inner_html(".text")
        assert inner == "<b>Bold</b> &amp; link<p>deep</p>"
        await page.click(".message b")
        await page.wait_for_selector(".message:not(.new)")
        assert await page.evaluate("window.hit") is None
        assert await page.locator(".message img, .message[href]").count() == 0
        assert page.url == SHOP

    async def test_the_page_may_take_a_chosen_message_over(self, shop: Shop) -> None:
        await shop.put(title="Gift", link=BONUS, customData='{"category":"bonus"}')
        page = await shop.open()
        await page.evaluate(
            """document.addEventListener('perigee-inbox-open', event => {
                 window.told = event.detail.customData; event.preventDefault(); })"""
        )
        await open_list(page)
        await page.click("text=Gift")
        await page.wait_for_selector(".message:not(.new)")
        assert await page.evaluate("window.told") == '{"category":"bonus"}'
        assert page.url == SHOP

    async def test_an_unknown_contact_sees_nothing_and_nothing_is_asked(self, shop: Shop) -> None:
        page = await shop.open("")
        await page.evaluate("widget.refresh()")
        assert await page.is_hidden(".bell")
        assert not [one for one in shop.web.asked if "appinbox" in one]

    async def test_an_empty_inbox_says_so_in_the_words_of_the_page(self, shop: Shop) -> None:
        page = await shop.open(options="every: 0, texts: {empty: 'Nothing yet'}")
        await open_list(page)
        assert await page.text_content(".note") == "Nothing yet"

    async def test_answers_that_are_lost_lock_nobody_out(self, shop: Shop) -> None:
        await shop.put(title="Gift")
        page = await shop.open()
        losing = True

        async def lose(route: Route) -> None:
            """The server answers, and the browser never hears it."""
            request = route.request
            headers = {"ES-TOKEN": (await request.all_headers())["es-token"]}
            await shop.web.api.get("/appinbox/v1/messages/count", key="", headers=headers)
            await route.abort() if losing else await route.fallback()

        await page.route("**/appinbox/v1/messages/count", lose)
        await page.evaluate("widget.refresh()")
        await page.evaluate("widget.refresh()")
        losing = False
        await shop.put(title="Second")
        await page.evaluate("widget.refresh()")
        assert await page.text_content(".count") == "2"

    async def test_a_dead_token_is_asked_for_again_where_the_page_says_how(self, shop: Shop) -> None:
        shop.web.put(SHOP + "inbox-token", "first token, long dead", "text/plain")
        page = await shop.open(
            source="function () { return fetch('/inbox-token').then(function (r) { return r.text(); }); }"
        )
        await shop.web.until(page, "!!window.widget")
        await page.evaluate("widget.refresh()")
        assert await page.is_hidden(".bell")
        page = await shop.open(
            source=f"""function () {{ window.asked = (window.asked || 0) + 1;
                return window.asked === 1 ? 'long dead' : {json.dumps(await shop.token())}; }}"""
        )
        await shop.put(title="Gift")
        await page.evaluate("widget.refresh()")
        assert await page.text_content(".count") == "1"
        assert await page.evaluate("window.asked") == 2

    async def test_a_widget_that_ended_asks_no_more_and_says_so_when_it_is_opened(self, shop: Shop) -> None:
        page = await shop.open()
        await shop.inbox.api.rows("delete from inbox_session where org_id = %(org_id)s")
        await open_list(page)
        assert await page.text_content(".note") == "Messages cannot be shown now"
        asked = len(shop.web.asked)
        await page.evaluate("widget.refresh()")
        assert len(shop.web.asked) == asked

    async def test_a_second_widget_in_a_place_replaces_the_first(self, shop: Shop) -> None:
        page = await shop.open()
        token = json.dumps(await shop.token())
        await page.evaluate(f"PerigeeInbox.init({{token: {token}, target: document.body.firstElementChild}})")
        assert await page.locator(".bell").count() == 1
        await page.evaluate("document.querySelector('#inbox')._perigeeInbox.remove()")
        assert await page.locator(".bell").count() == 0
