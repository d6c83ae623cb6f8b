"""The owner's own VAPID pair (TRACKING 4.2)."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from perigee.keys import Keys
from perigee.lib.tokens import encode
from perigee.push.vapid import VapidPair, make_pair, unsealed
from perigee.testing.api import SECRET, Api, make_organisation

DOMAIN = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "sw.js",
    "serviceWorkerPath": "/",
    "serviceWorkerScope": "/",
}


async def app_id(api: Api, **more: Any) -> int:
    await api.post("/api/v1/site/webpush/domain", DOMAIN, **more)
    answer = await api.get("/api/v4/webpush-domains", **more)
    (site,) = answer.json()["items"]
    assert site["domain"] == "https://shop.example.com"
    return int(site["app_id"])


async def put(api: Api, app: int, pair: VapidPair, **more: Any) -> httpx.Response:
    body = {"public_key": pair.public, "private_key": encode(pair.private)}
    return await api.put(f"/api/v4/webpush-domains/{app}/keys", body, **more)


async def test_an_existing_pair_is_used_and_sealed(api: Api) -> None:
    app, pair = await app_id(api), make_pair()
    assert (await put(api, app, pair)).status_code == 204
    assert (
        pair.public in (await api.get("/api/v1/site/webpush/script?domain=shop.example.com")).json()["script"]
    )
    ((stored,),) = await api.rows("select vapid_private from webpush_domain where org_id = %(org_id)s")
    assert unsealed(Keys.of(SECRET).sealing, api.org_id, app, stored) == pair.private
    assert (await api.get("/api/v4/webpush-domains")).json()["items"][0]["public_key"] == pair.public


async def test_a_pair_that_browsers_are_subscribed_under_stays(api: Api) -> None:
    app, pair = await app_id(api), make_pair()
    await put(api, app, pair)
    subscription = {
        "endpoint": "https://fcm.googleapis.com/fcm/send/1",
        "keys": {"p256dh": make_pair().public, "auth": encode(secrets.token_bytes(16))},
    }
    body = {"site": pair.public, "subscription": subscription}
    assert (await api.post("/webpush/subscriptions", body, key="")).status_code == 200
    assert (await api.get("/api/v4/webpush-domains")).json()["items"][0]["subscriptions"] == 1
    assert (await put(api, app, make_pair())).status_code == 409
    assert (await put(api, app, pair)).status_code == 204


async def test_one_pair_serves_one_domain(api: Api) -> None:
    pair = make_pair()
    await put(api, await app_id(api), pair)
    _, key = await make_organisation(api.db, "Other Shop")
    theirs = await app_id(api, key=key)
    assert (await put(api, theirs, pair, key=key)).status_code == 409
    assert (await put(api, theirs, make_pair())).status_code == 404  # another organisation's domain


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"public_key": "x"}, "public_key"),
        ({"public_key": make_pair().public}, "private_key"),
        ({"private_key": "x"}, "private_key"),
        ({"private_key": encode(bytes(32))}, "private_key"),
        ({"private_key": encode(b"\xff" * 32)}, "private_key"),
    ],
)
async def test_what_is_no_pair_is_refused(api: Api, change: dict[str, str], field: str) -> None:
    app, pair = await app_id(api), make_pair()
    body = {"public_key": pair.public, "private_key": encode(pair.private)} | change
    answer = await api.put(f"/api/v4/webpush-domains/{app}/keys", body)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
