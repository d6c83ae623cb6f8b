"""Product feeds and the Shopify token on the old wire (contract 23.9–23.11)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api, make_organisation

PATH = "/api/v1/products/config"
FEEDS = {
    "feeds": [
        {"url": "https://shop.example.com/feed.xml", "language": "en", "default": True},
        {"url": "https://shop.example.com/feed-uk.xml", "language": "uk", "default": False},
    ]
}


async def test_feeds_are_stored_replaced_and_removed(api: Api) -> None:
    assert (await api.get(PATH)).json() == {"feeds": []}
    answer = await api.post(PATH, FEEDS)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json;charset=UTF-8")
    assert answer.text.startswith("Product feeds have been updated")
    assert (await api.get(PATH)).json() == FEEDS
    await api.post(PATH, {"feeds": FEEDS["feeds"][:1]})
    assert (await api.get(PATH)).json() == {"feeds": FEEDS["feeds"][:1]}
    await api.post(PATH, {"feeds": []})
    assert (await api.get(PATH)).json() == {"feeds": []}


async def test_one_feed_may_stand_for_the_list_and_is_the_default(api: Api) -> None:
    await api.post(PATH, {"feeds": {"url": " https://shop.example.com/feed.xml "}})
    assert (await api.get(PATH)).json() == {
        "feeds": [{"url": "https://shop.example.com/feed.xml", "default": True}]
    }


@pytest.mark.parametrize(
    ("feeds", "field"),
    [
        (None, "feeds"),
        ([{"language": "en"}], "feeds[0].url"),
        ([{"url": "ftp://shop.example.com/feed.xml"}], "feeds[0].url"),
        ([{"url": "https://anna:secret@shop.example.com/feed.xml"}], "feeds[0].url"),
        ([{"url": "https://shop.example.com/f", "language": "??"}], "feeds[0].language"),
        ([{"url": "https://shop.example.com/f", "default": "perhaps"}], "feeds[0].default"),
        ([{"url": "https://shop.example.com/f"}, {"url": "https://SHOP.example.com/f"}], "feeds"),
        ([{"url": f"https://shop.example.com/{n}", "default": True} for n in range(2)], "feeds"),
        ([{"url": f"https://shop.example.com/{n}"} for n in range(51)], "feeds"),
    ],
)
async def test_bad_feeds_are_refused_and_the_old_ones_stay(api: Api, feeds: Any, field: str) -> None:
    await api.post(PATH, FEEDS)
    answer = await api.post(PATH, {"feeds": feeds})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await api.get(PATH)).json() == FEEDS


async def test_organisations_have_their_own_feeds(api: Api) -> None:
    await api.post(PATH, FEEDS)
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get(PATH, key=key)).json() == {"feeds": []}
    await api.post(PATH, {"feeds": []}, key=key)
    assert (await api.get(PATH)).json() == FEEDS


async def test_the_shopify_token_is_accepted(api: Api) -> None:
    path = "/api/v1/shopify/token"
    body = {"domain": "shop.example.com", "accessToken": "secret"}
    for answer in (await api.post(path, body), await api.delete(path), await api.delete(path, body)):
        assert (answer.status_code, answer.content) == (200, b"")
