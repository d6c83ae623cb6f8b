"""Contract section 23 on the wire: the site, web push, the product feed."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import pytest

from perigee.testing.api import Api
from perigee.testing.wire import empty, ok, refused, sentence

SITE = "/api/v1/site/domains"
PLURAL, SINGULAR = "/api/v1/site/webpush/domains", "/api/v1/site/webpush/domain"
SHOP = "https://shop.example.com"
WOOCOMMERCE = {
    "domain": SHOP,
    "serviceWorkerName": "push-yespo-sw.js",
    "serviceWorkerPath": "/wp-content/uploads/yespo-cdp/",
    "serviceWorkerScope": "/wp-content/uploads/yespo-cdp/",
}
SHOPIFY = {
    "domain": SHOP,
    "serviceWorkerName": "service-worker.js",
    "serviceWorkerPath": "/apps/yespo-proxy/",
    "serviceWorkerScope": "/apps/yespo-proxy/",
}
FEEDS = {"feeds": [{"url": "https://shop.example.com/feed.xml", "language": "en", "default": True}]}


@pytest.mark.parametrize("domain", ["shop.example.com", "https://shop.example.com", SHOP + "/", SHOP + "/wp"])
async def test_a_domain_is_created_with_201_and_there_with_200(api: Api, domain: str) -> None:
    assert ok(await api.get(SITE)).json() == []
    made = ok(await api.post(SITE, {"domain": domain}), 201).json()
    assert made == {"domain": "shop.example.com", "siteId": made["siteId"]}
    assert re.fullmatch("[0-9A-F]{32}", made["siteId"])
    assert ok(await api.post(SITE, {"domain": domain})).json() == made
    assert ok(await api.get(SITE)).json() == [made]


@pytest.mark.parametrize("body", [{"domain": "not a name"}, {"domain": ""}, {}])
async def test_an_invalid_name_is_400_and_stores_nothing(api: Api, body: Any) -> None:
    assert refused(await api.post(SITE, body)).startswith("domain:")
    assert ok(await api.get(SITE)).json() == []


async def test_an_organisation_has_one_domain(api: Api) -> None:
    first = ok(await api.post(SITE, {"domain": "shop.example.com"}), 201).json()
    second = ok(await api.post(SITE, {"domain": "other.example.com"})).json()
    assert second["siteId"] == first["siteId"]
    assert ok(await api.get(SITE)).json() == [second]


async def test_the_script_is_text_for_a_domain_that_is_there(api: Api) -> None:
    refused(await api.get("/api/v1/site/script", headers={"accept": "text/plain"}), 404)
    site = ok(await api.post(SITE, {"domain": "shop.example.com"}), 201).json()
    answer = await api.get("/api/v1/site/script", headers={"accept": "text/plain"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["cache-control"] == "no-store"
    assert "<script" in answer.text
    assert answer.text.count("eS('init')") == 1
    assert site["siteId"] in answer.text


@pytest.mark.parametrize("domain", [WOOCOMMERCE, SHOPIFY], ids=["woocommerce", "shopify"])
@pytest.mark.parametrize("path", [PLURAL, SINGULAR])
async def test_web_push_domains_are_added_one_or_many_and_again(api: Api, path: str, domain: Any) -> None:
    assert ok(await api.get(PLURAL)).json() == {"domains": []}
    one = {"domain": SHOP, "status": "ok"}
    many = path == PLURAL
    for _ in range(2):
        answer = ok(await api.post(path, {"domains": [domain]} if many else domain))
        assert answer.json() == {"success": [one] if many else one}
    assert ok(await api.get(PLURAL)).json() == {"domains": [domain]}


@pytest.mark.parametrize("path", [PLURAL, SINGULAR])
async def test_a_domain_with_other_data_is_2xx_in_the_words_shopify_understands(api: Api, path: str) -> None:
    ok(await api.post(SINGULAR, WOOCOMMERCE))
    many = path == PLURAL
    answer = ok(await api.post(path, {"domains": [SHOPIFY]} if many else SHOPIFY)).json()
    error = {"domain": SHOP, "message": "Domain is already registered"}
    assert answer == {"errors": [error] if many else error}
    assert ok(await api.get(PLURAL)).json() == {"domains": [WOOCOMMERCE]}


@pytest.mark.parametrize("member", list(SHOPIFY))
async def test_every_member_of_a_web_push_domain_is_required(api: Api, member: str) -> None:
    body = {name: value for name, value in SHOPIFY.items() if name != member}
    for path, given in ((SINGULAR, body), (PLURAL, {"domains": [body]})):
        assert refused(await api.post(path, given)).startswith(f"{member}:")
    assert ok(await api.get(PLURAL)).json() == {"domains": []}


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("domain", "shop.example.com"),
        ("serviceWorkerName", "sw.txt"),
        ("serviceWorkerPath", "push/"),
        ("serviceWorkerPath", "/push"),
        ("serviceWorkerScope", "/push"),
    ],
)
async def test_a_member_that_breaks_its_rule_is_named(api: Api, member: str, value: str) -> None:
    answer = await api.post(SINGULAR, SHOPIFY | {member: value})
    assert refused(answer).startswith(f"{member}:")
    assert answer.json()["errors"]["message"] == answer.json()["message"]


async def test_each_domain_of_a_list_succeeds_or_fails_alone(api: Api) -> None:
    bad = SHOPIFY | {"domain": "nothing"}
    answer = ok(await api.post(PLURAL, {"domains": [SHOPIFY, bad]})).json()
    assert answer["success"] == [{"domain": SHOP, "status": "ok"}]
    assert [error["domain"] for error in answer["errors"]] == ["nothing"]


@pytest.mark.parametrize("domain", [SHOP, quote(SHOP, safe="")])
async def test_a_web_push_domain_is_deleted_once(api: Api, domain: str) -> None:
    ok(await api.post(SINGULAR, SHOPIFY))
    assert sentence(await api.delete(f"{PLURAL}?domain={domain}"))
    assert "not found" in refused(await api.delete(f"{PLURAL}?domain={domain}"), 404)
    assert ok(await api.get(PLURAL)).json() == {"domains": []}


@pytest.mark.parametrize("domain", [quote(SHOP, safe=""), SHOP, "shop.example.com"])
async def test_the_web_push_script_and_worker_for_a_domain_in_any_spelling(api: Api, domain: str) -> None:
    ok(await api.post(SINGULAR, SHOPIFY))
    body = ok(await api.get(f"/api/v1/site/webpush/script?domain={domain}")).json()
    assert set(body) == {"script", "serviceWorker"}
    assert body["script"].startswith("<script>")
    assert "es('pushOn'" in body["script"]
    assert body["serviceWorker"].strip() == "importScripts('http://perigee.test/service-worker.js');"
    worker = await api.get("/service-worker.js", key="")
    assert worker.headers["content-type"].startswith("text/javascript")


async def test_there_is_no_script_for_an_unknown_domain(api: Api) -> None:
    refused(await api.get("/api/v1/site/webpush/script?domain=shop.example.com"), 404)


async def test_the_product_feeds_are_set_and_read(api: Api) -> None:
    assert ok(await api.get("/api/v1/products/config")).json() == {"feeds": []}
    assert sentence(await api.post("/api/v1/products/config", FEEDS))
    assert ok(await api.get("/api/v1/products/config")).json() == FEEDS


async def test_the_shopify_token_is_taken_and_kept_nowhere(api: Api) -> None:
    token = "shpat_planted_marker"  # of nobody
    body = {"domain": "shop.example.com", "accessToken": token}
    empty(await api.post("/api/v1/shopify/token", body))
    empty(await api.delete("/api/v1/shopify/token"))
    tables = await api.rows(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname !~ '^pg_|^information'"
    )
    for (table,) in tables:
        found = await api.rows(f"select 1 from {table} t where t::text like %(token)s", token=f"%{token}%")
        assert found == [], table


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", SITE), ("POST", SITE), ("GET", "/api/v1/site/script"), ("GET", PLURAL), ("POST", PLURAL),
        ("POST", SINGULAR), ("DELETE", PLURAL), ("GET", "/api/v1/site/webpush/script"),
        ("GET", "/api/v1/products/config"), ("POST", "/api/v1/products/config"),
    ],
)  # fmt: skip
async def test_the_site_needs_full_access(api: Api, method: str, path: str) -> None:
    refused(await api.call(method, path, key=""), 401)
    await api.rows("update api_key set access = 'messages' where org_id = %(org_id)s")
    refused(await api.call(method, path, {} if method == "POST" else None), 403)
