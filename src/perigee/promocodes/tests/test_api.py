"""/api/v4/promo-codes."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api

PATH = "/api/v4/promo-codes"
GOOD = {"code": "A", "discount": 10, "expires_at": "2099-12-31T23:59"}


async def test_every_code_has_its_own_members(api: Api) -> None:
    second = {
        "code": "B",
        "discount": 5,
        "expires_at": "2098-01-01T00:00:00Z",
        "type": "vip",
        "in_use": True,
    }
    answer = await api.post(PATH, {"codes": [GOOD, second, GOOD]})
    assert (answer.status_code, answer.json()) == (200, {"stored": 2})
    items = (await api.get(PATH)).json()["items"]
    assert [(one["code"], one["discount"], one["type"], one["in_use"]) for one in items] == [
        ("A", 10, None, False),
        ("B", 5, "vip", True),
    ]
    assert items[1]["expires_at"] == "2098-01-01T00:00:00Z"


async def test_pages_and_filters(api: Api) -> None:
    await api.post(PATH, {"codes": [GOOD | {"code": name, "type": "t"} for name in "ABCDE"]})
    first = (await api.get(f"{PATH}?limit=2&type=t")).json()
    rest = (await api.get(f"{PATH}?type=t&cursor={first['next']}")).json()
    assert [one["code"] for one in first["items"] + rest["items"]] == list("ABCDE")
    assert "next" not in rest
    assert (await api.get(f"{PATH}?in_use=true")).json()["items"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"code": " "}, "codes[1].code"),
        ({"discount": -1}, "codes[1].discount"),
        ({"expires_at": "soon"}, "codes[1].expires_at"),
        ({"type": "t" * 101}, "codes[1].type"),
        ({"extra": 1}, "codes[1]"),
    ],
)
async def test_one_bad_code_is_named_and_none_is_stored(api: Api, change: dict[str, Any], field: str) -> None:
    answer = await api.post(PATH, {"codes": [GOOD, GOOD | change]})
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert (await api.get(PATH)).json()["items"] == []
