"""Web-push domains (contract 23.4–23.7)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.errors import Invalid
from perigee.push.domains import clean, origin
from perigee.testing.api import Api

PLURAL = "/api/v1/site/webpush/domains"
SINGULAR = "/api/v1/site/webpush/domain"
WOOCOMMERCE = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "push-yespo-sw.js",
    "serviceWorkerPath": "/wp-content/uploads/yespo-cdp/",
    "serviceWorkerScope": "/wp-content/uploads/yespo-cdp/",
}
SHOPIFY = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "service-worker.js",
    "serviceWorkerPath": "/apps/yespo-proxy/",
    "serviceWorkerScope": "/apps/yespo-proxy/",
}


@pytest.mark.parametrize(
    "given",
    ["https://shop.example.com", "HTTPS://Shop.Example.com/", "https://shop.example.com:443/blog?a=1"],
)
def test_a_domain_is_an_origin(given: str) -> None:
    assert origin(given) == "https://shop.example.com"


def test_a_port_of_its_own_stays() -> None:
    assert origin("https://shop.example.com:8443") == "https://shop.example.com:8443"


@pytest.mark.parametrize(
    ("member", "value", "words"),
    [
        ("domain", None, "domain: is required"),
        ("domain", "http://shop.example.com", "must begin with https://"),
        ("domain", "shop.example.com", "must begin with https://"),
        ("domain", "https://", "is not an address"),
        ("domain", "https://shop.example.com:99999", "is not an address"),
        ("domain", "https://user@shop.example.com", "is not an address"),
        ("serviceWorkerName", "", "serviceWorkerName: is required"),
        ("serviceWorkerName", "sw.txt", "is not a file name"),
        ("serviceWorkerName", "a/sw.js", "is not a file name"),
        ("serviceWorkerPath", None, "serviceWorkerPath: is required"),
        ("serviceWorkerPath", "push/", "begins and ends with /"),
        ("serviceWorkerPath", "/push", "begins and ends with /"),
        ("serviceWorkerPath", "/a/../b/", "must not hold"),
        ("serviceWorkerScope", "/a//b/", "begins and ends with /"),
    ],
)
def test_every_member_is_checked(member: str, value: Any, words: str) -> None:
    refused = clean(SHOPIFY | {member: value})
    assert isinstance(refused, Invalid)
    assert words in refused.message


async def test_the_singular_answers_as_the_shopify_app_reads_it(api: Api) -> None:
    answer = await api.post(SINGULAR, SHOPIFY)
    assert answer.status_code == 200
    assert answer.json() == {"success": {"domain": "https://shop.example.com", "status": "ok"}}
    assert (await api.get(PLURAL)).json() == {"domains": [SHOPIFY]}


async def test_the_plural_answers_with_arrays(api: Api) -> None:
    bad = WOOCOMMERCE | {"domain": "http://b.example.com"}
    answer = await api.post(PLURAL, {"domains": [WOOCOMMERCE, bad]})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": [{"domain": "https://shop.example.com", "status": "ok"}],
        "errors": [
            {
                "domain": "http://b.example.com",
                "message": "domain: 'http://b.example.com' must begin with https://",
            }
        ],
    }


async def test_the_same_again_is_a_success(api: Api) -> None:
    await api.post(PLURAL, {"domains": [WOOCOMMERCE]})
    assert (await api.post(SINGULAR, WOOCOMMERCE)).json() == {
        "success": {"domain": "https://shop.example.com", "status": "ok"}
    }


async def test_other_data_for_a_known_domain_is_registered_already_but_2xx(api: Api) -> None:
    await api.post(PLURAL, {"domains": [WOOCOMMERCE]})
    answer = await api.post(SINGULAR, SHOPIFY)
    assert answer.status_code == 200
    assert answer.json() == {
        "errors": {"domain": "https://shop.example.com", "message": "Domain is already registered"}
    }
    assert (await api.get(PLURAL)).json() == {"domains": [WOOCOMMERCE]}


async def test_nothing_but_bad_input_is_400_and_stores_nothing(api: Api) -> None:
    for path, body in (
        (SINGULAR, SHOPIFY | {"domain": "x"}),
        (PLURAL, {"domains": [SHOPIFY | {"domain": "x"}]}),
        (PLURAL, {}),
    ):
        answer = await api.post(path, body)
        assert answer.status_code == 400
        assert "domain: " in answer.json()["message"]
    assert (await api.get(PLURAL)).json() == {"domains": []}


async def test_a_single_object_may_stand_for_the_list(api: Api) -> None:
    assert (await api.post(PLURAL, {"domains": SHOPIFY})).json()["success"] == [
        {"domain": "https://shop.example.com", "status": "ok"}
    ]


async def test_delete(api: Api) -> None:
    await api.post(SINGULAR, SHOPIFY)
    path = PLURAL + "?domain=https://shop.example.com"
    assert (await api.delete(path)).status_code == 200
    assert (await api.delete(path)).status_code == 404
    assert (await api.get(PLURAL)).json() == {"domains": []}
