"""Scanners of mail follow every link (reliability 17): GET and HEAD of each address outside the API, with a genuine token,
change nothing but opens and clicks. New pages are walked by themselves; one of a new kind must be told here what its
address is."""

from __future__ import annotations

import pytest
from litestar.handlers import HTTPRouteHandler

from perigee.delivery import callbacks
from perigee.http.app import build_context
from perigee.http.pages import PAGES
from perigee.messages.links import RecipientLinks, SignedLinks
from perigee.messages.view import view_link
from perigee.testing.api import SETTINGS, Api
from perigee.testing.rows import digest
from perigee.testing.sending import Shop

COUNTED = ("/o/{token:str}", "/c/{token:str}", "/s/{token:str}")
"""What these write: a row of activity."""
TURNED = ("/appinbox/v1/messages", "/appinbox/v1/messages/count")
"""Each answer brings the next token (contract 22.8)."""


def addresses() -> list[str]:
    """Paths, as they are declared, of every GET outside the API."""
    context = build_context(SETTINGS, "postgresql://nowhere")
    handlers = [page(context) for page in PAGES]
    paths = [
        path
        for handler in handlers
        if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods
        for path in handler.paths
    ]
    return sorted(path for path in paths if not path.startswith("/api/"))


class Mailed:
    """An organisation that sent a mail to Anna; every address outside the API that leads to something of it."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.shop = Shop(api.db, api.org_id)
        self.known: dict[str, str] = {}

    async def send(self) -> None:
        api, shop = self.api, self.shop
        self.anna = await shop.person("anna@example.com", first_name="Anna")
        campaign = await shop.started([self.anna])
        await shop.run_sender()
        assert campaign.send_id is not None
        self.links = self._links(campaign.send_id)
        short = self._links(campaign.send_id, short=True)
        sandbox = await shop.value("select sandbox_id from sandbox_message where org_id = %(org)s")
        (provider,) = await shop.sql("select provider_id from provider where org_id = %(org)s limit 1")
        message = await shop.value("select message_id from message where org_id = %(org)s")
        await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
        (site,) = (await api.get("/api/v1/site/domains")).json()
        worker = {"serviceWorkerName": "sw.js", "serviceWorkerPath": "/", "serviceWorkerScope": "/"}
        await api.post("/api/v1/site/webpush/domain", {"domain": "https://shop.example.com", **worker})
        await api.get("/api/v1/site/webpush/script?domain=https://shop.example.com")  # makes the site's keys
        public = await shop.value("select vapid_public from webpush_domain where org_id = %(org)s")
        export = (await api.post("/api/v4/exports", {})).json()["export_id"]
        await api.run_jobs()
        link = (await api.get(f"/api/v4/exports/{export}")).json()["link"]
        hook = callbacks.address("", shop.keys.sealing, api.org_id, provider[0])
        self.known = {
            "/o/{token:str}": self.links.open_pixel(),
            "/c/{token:str}": self.links.click(1, None),
            "/s/{token:str}": short.click(1, None),
            "/v/{token:str}": self.links.view(),
            "/u/{token:str}": self.links.unsubscribe(),
            "/p/{token:str}": self.links.preferences(),
            "/confirm/{token:str}": self.links.confirm(),
            "/m/{token:str}": view_link(shop.keys.links, "", api.org_id, message),
            "/hooks/provider/{token:str}": hook,
            "/sandbox/{sandbox_id:int}": f"/sandbox/{sandbox}",
            "/sandbox/{sandbox_id:int}/html": f"/sandbox/{sandbox}/html",
            "/sandbox/{sandbox_id:int}/raw": f"/sandbox/{sandbox}/raw",
            "/exports/{token:str}": link.removeprefix(api.settings.public_url),
            "/scripts/{name:str}": f"/scripts/{site['siteId']}.js",
            "/webpush/{name:str}": f"/webpush/{public}.js",
        }

    def _links(self, send_id: int, *, short: bool = False) -> RecipientLinks:
        signed = SignedLinks(self.shop.keys.links, "", self.api.org_id, send_id, short=short)
        return signed.of(0, self.anna)

    def address(self, path: str) -> str:
        if "{" not in path:
            return path
        assert path in self.known, f"{path}: tell Mailed what address of this kind there is"
        return self.known[path]

    async def changed(self, before: dict[str, object]) -> set[str]:
        """Tables whose rows are others; partitions count as the table they are of."""
        after = await digest(self.api)
        return {table.split("_p")[0] for table in after if after[table] != before[table]}


@pytest.fixture
async def mailed(api: Api) -> Mailed:
    made = Mailed(api)
    await made.send()
    return made


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_only_opens_and_clicks_are_written(mailed: Mailed, method: str) -> None:
    for path in addresses():
        before = await digest(mailed.api)
        headers = {}
        if path in TURNED:
            answer = await mailed.api.post("/api/v1/auth/contact/token", {"email": "anna@example.com"})
            headers = {"ES-TOKEN": answer.json()["token"]}
            before = await digest(mailed.api)
        key = None if path.startswith("/sandbox") else ""
        answer = await mailed.api.call(method, mailed.address(path), key=key, headers=headers)
        changed = await mailed.changed(before)
        if path.startswith("/hooks/"):
            assert answer.status_code in (200, 400, 404), (path, answer.text)
        else:
            assert answer.status_code in (200, 302), (path, answer.text)
        if path in COUNTED:
            assert {table[:8] for table in changed} == {"activity"}, path
        elif path in TURNED:
            assert changed <= {"inbox_session"}, (path, changed)
        else:
            assert not changed, path


async def test_the_mail_in_the_browser_is_for_the_person_as_they_are_now(mailed: Mailed) -> None:
    view = mailed.links.view()
    assert "Dear Anna" in (await mailed.api.get(view, key="")).text
    body = {"firstName": "Hanna", "channels": [{"type": "email", "value": "anna@example.com"}]}
    assert (await mailed.api.post("/api/v1/contact", body)).status_code == 200
    answer = await mailed.api.get(view, key="")
    assert answer.status_code == 200
    assert "Dear Hanna" in answer.text


async def test_links_of_somebody_who_was_deleted_show_nothing_of_them(mailed: Mailed) -> None:
    answer = await mailed.api.delete(f"/api/v1/contact/{mailed.anna}")
    assert answer.status_code == 200, answer.text
    for path in ("/v/{token:str}", "/u/{token:str}", "/p/{token:str}", "/confirm/{token:str}"):
        answer = await mailed.api.get(mailed.known[path], key="")
        assert answer.status_code < 500, (path, answer.text)
        assert "anna" not in answer.text.lower(), path
    assert (await mailed.api.get(mailed.links.view(), key="")).status_code == 404
    answer = await mailed.api.get(mailed.links.click(1, None), key="")
    assert answer.headers["location"].startswith("https://shop.example.com/a"), "where they wanted to go"
    assert (await mailed.api.get(mailed.links.open_pixel(), key="")).status_code == 200
