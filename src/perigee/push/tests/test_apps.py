"""Registered applications (/api/v4/apps)."""

from __future__ import annotations

import uuid

import pytest

from perigee.testing.api import Api, make_organisation

APP = "11111111-2222-4333-8444-555555555555"


async def test_an_application_gets_an_id_and_is_listed(api: Api) -> None:
    made = await api.post("/api/v4/apps", {"kind": "telegram", "name": " Shop bot "})
    assert made.status_code == 201
    app = made.json()
    assert (app["kind"], app["name"]) == ("telegram", "Shop bot")
    assert str(uuid.UUID(app["app_id"])) == app["app_id"]
    assert (await api.get("/api/v4/apps")).json() == {"items": [app]}


async def test_one_that_moves_here_keeps_its_id(api: Api) -> None:
    wanted = {"kind": "mobilepush", "name": "Shop", "app_id": APP}
    assert (await api.post("/api/v4/apps", wanted)).json() == wanted
    again = await api.post("/api/v4/apps", wanted)
    assert again.status_code == 409
    assert APP in again.json()["detail"]


async def test_another_organisation_may_use_the_same_id(api: Api) -> None:
    _, key = await make_organisation(api.db, "Other Shop")
    wanted = {"kind": "mobilepush", "name": "Shop", "app_id": APP}
    for caller in (api.key, key):
        assert (await api.post("/api/v4/apps", wanted, key=caller)).status_code == 201


@pytest.mark.parametrize(
    "wanted",
    [
        {"kind": "fax", "name": "x"},
        {"kind": "telegram"},
        {"kind": "telegram", "name": "  "},
        {"kind": "telegram", "name": "x", "app_id": "7"},
    ],
)
async def test_bad_ones_are_refused(api: Api, wanted: dict[str, str]) -> None:
    answer = await api.post("/api/v4/apps", wanted)
    assert answer.status_code == 400
    assert (await api.get("/api/v4/apps")).json() == {"items": []}


async def test_a_removed_application_is_not_registered_any_more(api: Api) -> None:
    await api.post("/api/v4/apps", {"kind": "telegram", "name": "Bot", "app_id": APP})
    assert (await api.delete(f"/api/v4/apps/{APP}")).status_code == 204
    assert (await api.delete(f"/api/v4/apps/{APP}")).status_code == 404
    answer = await api.post(f"/api/v1/apps/{APP}/token/mute", {"token": "1"})
    assert (answer.status_code, answer.json()["message"]) == (404, "Not registered application")
