"""Scripts of web push (contract 23.8; TRACKING 4.1, 4.2, 10)."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import pytest

from perigee.keys import Keys
from perigee.lib.tokens import InvalidToken, encode
from perigee.push.scripts import wanted_domain
from perigee.push.vapid import make_pair, point, sealed, unsealed
from perigee.testing.api import SECRET, Api, make_organisation

SCRIPT = "/api/v1/site/webpush/script?domain="
DOMAIN = {
    "domain": "https://shop.example.com",
    "serviceWorkerName": "sw.js",
    "serviceWorkerPath": "/push/",
    "serviceWorkerScope": "/push/",
}


async def add_domain(api: Api) -> str:
    """The domain's public key."""
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    script = (await api.get(SCRIPT + "shop.example.com")).json()["script"]
    return str(script.split("/webpush/")[1].split(".js")[0])


@pytest.mark.parametrize(
    "given",
    [
        quote("https://shop.example.com", safe=""),
        "https://shop.example.com",
        "https://shop.example.com/en/?a=1",
        "http://shop.example.com",
        "shop.example.com",
        "Shop.Example.com/",
    ],
)
async def test_the_domain_may_be_an_encoded_or_bare_address_or_a_host(api: Api, given: str) -> None:
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    answer = await api.get(SCRIPT + given)
    assert answer.status_code == 200
    assert set(answer.json()) == {"script", "serviceWorker"}


async def test_the_script_turns_push_on_and_the_worker_imports_ours(api: Api) -> None:
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    answer = (await api.get(SCRIPT + "shop.example.com")).json()
    assert answer["script"].startswith("<script>")
    assert "es('pushOn'" in answer["script"]
    assert '"http://perigee.test/webpush/' in answer["script"]
    assert answer["serviceWorker"] == "importScripts('http://perigee.test/service-worker.js');\n"


async def test_an_unknown_domain_is_404(api: Api) -> None:
    assert (await api.get(SCRIPT + "shop.example.com")).status_code == 404
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    other, key = await make_organisation(api.db, "Other Shop")
    assert other != api.org_id
    assert (await api.get(SCRIPT + "shop.example.com", key=key)).status_code == 404


@pytest.mark.parametrize("given", ["", "not a domain", "https://"])
async def test_what_is_no_domain_is_400(api: Api, given: str) -> None:
    answer = await api.get(SCRIPT + given)
    assert answer.status_code == 400
    assert answer.json()["field"] == "domain"


def test_a_port_of_its_own_counts() -> None:
    assert wanted_domain("shop.example.com:8443") == "https://shop.example.com:8443"


async def test_keys_are_made_once_even_for_two_who_ask_together(api: Api) -> None:
    await api.post("/api/v1/site/webpush/domain", DOMAIN)
    answers = await asyncio.gather(*(api.get(SCRIPT + "shop.example.com") for _ in range(4)))
    assert len({answer.json()["script"] for answer in answers}) == 1
    ((public, private, app_id),) = await api.rows(
        "select vapid_public, vapid_private, app_id from webpush_domain where org_id = %(org_id)s"
    )
    assert public in answers[0].json()["script"]
    raw = unsealed(Keys.of(SECRET).sealing, api.org_id, app_id, private)
    assert len(raw) == 32
    assert raw not in private
    with pytest.raises(InvalidToken):
        unsealed(Keys.of(SECRET).sealing, api.org_id, app_id + 1, private)


def test_a_pair_is_a_point_and_its_scalar() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pair = make_pair()
    private = ec.derive_private_key(int.from_bytes(pair.private, "big"), ec.SECP256R1())
    public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert encode(public) == pair.public
    assert point(pair.public) == public
    assert unsealed(b"k" * 32, 1, 2, sealed(b"k" * 32, 1, 2, pair.private)) == pair.private


async def test_the_pages_file_knows_its_site_and_its_worker(api: Api) -> None:
    key = await add_domain(api)
    answer = await api.get(f"/webpush/{key}.js", key="")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert f'"site":"{key}"' in answer.text
    assert '"worker":"/push/sw.js","scope":"/push/"' in answer.text


@pytest.mark.parametrize("name", ["unknown.js", "x", "%2e%2e.js"])
async def test_no_other_file_is_there(api: Api, name: str) -> None:
    assert (await api.get(f"/webpush/{name}", key="")).status_code == 404


async def test_the_worker_file_is_one_for_all_and_kept_by_its_mark(api: Api) -> None:
    first = await api.get("/service-worker.js", key="")
    assert first.status_code == 200
    assert '"base":"http://perigee.test"' in first.text
    again = await api.get("/service-worker.js", key="", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
