"""The organisation's domain and its script (contract 23.1–23.3, 25.9; TRACKING 1.1, 1.2)."""

from __future__ import annotations

import re

import pytest

from perigee.errors import Invalid
from perigee.site.domains import host_of
from perigee.site.script import loader
from perigee.testing.api import Api


@pytest.mark.parametrize(
    "given",
    [
        "shop.example.com",
        "https://shop.example.com",
        "http://Shop.Example.com:8080/en/?a=1#b",
        "//shop.example.com/",
        "shop.example.com/path",
        " shop.example.com ",
    ],
)
def test_a_host_or_any_address_on_it(given: str) -> None:
    assert host_of(given) == "shop.example.com"


def test_letters_beyond_ascii_become_a_labels() -> None:
    assert host_of("https://магазин.укр/") == "xn--80aairftm.xn--j1amh"


@pytest.mark.parametrize(
    "given", ["", None, "shop", "http://", "https://[::1", "a b.com", "-a.com", "x" * 300 + ".com", {}]
)
def test_anything_else_is_an_invalid_name(given: object) -> None:
    with pytest.raises(Invalid, match="domain: "):
        host_of(given)


async def test_there_is_no_domain_at_first(api: Api) -> None:
    assert (await api.get("/api/v1/site/domains")).json() == []
    assert (await api.get("/api/v1/site/script")).status_code == 404


async def test_the_first_is_201_and_again_is_200_with_the_same_site_id(api: Api) -> None:
    first = await api.post("/api/v1/site/domains", {"domain": "https://shop.example.com/"})
    again = await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["domain"] == "shop.example.com"
    assert re.fullmatch("[0-9A-F]{32}", first.json()["siteId"])
    assert (await api.get("/api/v1/site/domains")).json() == [first.json()]


async def test_another_domain_takes_its_place_and_keeps_the_site_id(api: Api) -> None:
    first = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    other = await api.post("/api/v1/site/domains", {"domain": "other.example.com"})
    assert other.status_code == 200
    assert other.json() == {"domain": "other.example.com", "siteId": first["siteId"]}


async def test_an_invalid_name_is_400(api: Api) -> None:
    answer = await api.post("/api/v1/site/domains", {"domain": "not a domain"})
    assert answer.status_code == 400
    assert answer.json()["message"] == "domain: 'not a domain' is not a domain name like shop.example.com"


async def test_the_script_is_plain_text_that_holds_the_call_to_replace(api: Api) -> None:
    site = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    answer = await api.get("/api/v1/site/script")
    assert answer.headers["content-type"].startswith("text/plain")
    file = f"/scripts/{site['siteId']}.js"
    assert f'"http://perigee.test{file}"' in answer.text
    assert (await api.get(file, key="")).headers["content-type"] == "text/javascript; charset=utf-8"
    assert (await api.get("/scripts/unknown.js", key="")).status_code == 404
    assert answer.text.count("eS('init')") == 1
    assert answer.text.strip().startswith("<script>")


def test_nothing_in_the_loader_can_end_its_element() -> None:
    text = loader("8A41", "https://x.example.com/</script><script>")
    assert text.count("</script>") == 1
