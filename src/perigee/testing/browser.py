"""pytest plugin: a real Chromium for tests of what runs on pages (mark `browser`; `./perigee test --browser`).

No network behind the fixture `web`: what a page asks of us goes to the application in the test's own process, every
other address is answered by the test. `profile` is for tests that run servers of their own on this machine. Chromium
must be installed; a run that asks for these tests fails without it.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from perigee.testing.api import SETTINGS, Api

if TYPE_CHECKING:  # the plugin is loaded by every run, Playwright is needed by few
    from playwright.async_api import BrowserContext, Page, Route

AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
)
US = "https://perigee.test"
SECURE = dataclasses.replace(SETTINGS, public_url=US)
"""For the fixture `settings` of a module: pages under https may ask only what is under https."""


def chromium() -> str:
    """Path of the installed browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "Chromium is not installed; on Debian: apt install chromium"
    return found


class Web:
    """The web as the browser sees it: us, and pages that the test writes."""

    def __init__(self, context: BrowserContext, api: Api) -> None:
        self.context = context
        self.api = api
        self.pages: dict[str, tuple[str, str]] = {}
        self.asked: list[str] = []
        """Addresses of ours that were asked for, in order: `POST /tracker/api/v2`."""

    def put(self, url: str, content: str, media_type: str = "text/html") -> None:
        """What stands at an address; its query does not count."""
        self.pages[url] = (content, media_type)

    async def serve(self, route: Route) -> None:
        request = route.request
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" == US:
            await self._ours(route, parts.path + ("?" + parts.query if parts.query else ""))
            return
        content, media_type = self.pages.get(f"{parts.scheme}://{parts.netloc}{parts.path}", ("", ""))
        if media_type:
            await route.fulfill(status=200, body=content, content_type=media_type)
        else:
            await route.fulfill(status=404, body="")

    async def _ours(self, route: Route, path: str) -> None:
        request = route.request
        self.asked.append(f"{request.method} {urlsplit(path).path}")
        headers = {
            name: value
            for name, value in (await request.all_headers()).items()
            if name not in ("host", "content-length", "accept-encoding") and not name.startswith(":")
        }
        answer = await self.api.call(
            request.method, path, key="", content=request.post_data_buffer, headers=headers
        )
        await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)

    async def until(self, page: Page, script: str) -> Any:
        """The first true value of an expression, which may be a promise."""
        for _ in range(200):
            if value := await page.evaluate(script):
                return value
            await page.wait_for_timeout(50)
        raise AssertionError(f"never true: {script}")


@pytest.fixture
async def profile() -> AsyncIterator[BrowserContext]:
    """A fresh browser profile, on the real network."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        context = await browser.new_context(user_agent=AGENT, locale="uk-UA")
        context.set_default_timeout(20_000)
        yield context
        await context.close()
        await browser.close()


@pytest.fixture
async def web(profile: BrowserContext, api: Api) -> Web:
    """The profile, with `api` and the test's own pages for its web."""
    web = Web(profile, api)
    await profile.route("**/*", web.serve)
    return web
