"""/api/v4/organisation and /api/v4/api-keys."""

from __future__ import annotations

import pytest

from perigee.client import AsyncClient
from perigee.testing.api import Api, make_organisation


async def test_an_organisation_changes_what_is_named(api: Api) -> None:
    before = (await api.get("/api/v4/organisation")).json()
    assert (before["name"], before["time_zone"], before["always_arrays"]) == ("Example Shop", "UTC", False)
    change = {"time_zone": "Europe/Kyiv", "postal_address": " 1 Main Street, Kyiv ", "always_arrays": True}
    answer = await api.call("PATCH", "/api/v4/organisation", change)
    assert answer.status_code == 200
    assert answer.json() == {**before, **change, "postal_address": "1 Main Street, Kyiv"}
    again = await api.call("PATCH", "/api/v4/organisation", {"currency": "UAH"})
    assert again.json() == {**answer.json(), "currency": "UAH"}
    other, _ = await make_organisation(api.db, "Other Shop")
    assert await api.rows("select settings from organisation where org_id = %(other)s", other=other) == [
        ({},)
    ]


async def test_links_are_tagged_until_somebody_says_no(api: Api) -> None:
    before = (await api.get("/api/v4/organisation")).json()
    tags = {"utm": True, "utm_source": "perigee", "utm_medium": "{channel}", "utm_campaign": "{campaign}"}
    assert before == {**before, **tags}
    change = {"utm": False, "utm_source": "shop", "utm_medium": ""}
    changed = await api.call("PATCH", "/api/v4/organisation", change)
    assert changed.json() == {**before, **change}
    assert (await api.get("/api/v4/organisation")).json() == changed.json()


async def test_a_short_address_is_kept_as_an_origin_and_taken_away(api: Api) -> None:
    for given, kept in (("HTTPS://Go.Example.com/", "https://go.example.com"), ("", "")):
        changed = await api.call("PATCH", "/api/v4/organisation", {"short_url": given})
        assert changed.json()["short_url"] == kept
        assert (await api.get("/api/v4/organisation")).json()["short_url"] == kept


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"utm": "no"}, "utm"),
        ({"utm_source": "x" * 101}, "utm_source"),
        ({"utm_campaign": "{nobody}"}, "utm_campaign"),
        ({"time_zone": "Kyiv"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"currency": "euro"}, "currency"),
        ({"language": "klingon!"}, "language"),
        ({"name": " "}, "name"),
        ({"postal_address": "x" * 501}, "postal_address"),
        ({"always_arrays": "yes"}, "always_arrays"),
        *(
            ({"short_url": url}, "short_url")
            for url in (
                "go.example.com",
                "http://go.example.com",
                "https://go.example.com/x",
                "https://go.example.com?x",
                "https://go.example.com/#x",
                "https://me@go.example.com",
            )
        ),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_a_refused_change_changes_nothing(api: Api, change: dict[str, object], field: str) -> None:
    before = (await api.get("/api/v4/organisation")).json()
    refused = await api.call("PATCH", "/api/v4/organisation", {"currency": "EUR", **change})
    assert refused.status_code == 400
    assert field in refused.text
    assert (await api.get("/api/v4/organisation")).json() == before


async def test_the_life_of_a_key(api: Api) -> None:
    made = await api.post("/api/v4/api-keys", {"description": "Plugin", "access": "events"})
    assert made.status_code == 201
    key, key_id = made.json()["key"], made.json()["key_id"]
    assert (await api.get("/api/v1/account/info", key=key)).status_code == 200
    assert (await api.get("/api/v1/contacts", key=key)).status_code == 403
    assert (await api.get("/api/v4/api-keys", key=key)).status_code == 403
    listed = (await api.get("/api/v4/api-keys")).json()["items"]
    assert [one["key_id"] for one in listed][1:] == [key_id]
    assert key not in (await api.get("/api/v4/api-keys")).text
    changed = await api.call(
        "PATCH", f"/api/v4/api-keys/{key_id}", {"enabled": False, "description": "Old plugin"}
    )
    assert (changed.json()["enabled"], changed.json()["description"]) == (False, "Old plugin")
    assert (await api.call("DELETE", f"/api/v4/api-keys/{key_id}")).status_code == 204
    assert (await api.call("DELETE", f"/api/v4/api-keys/{key_id}")).status_code == 404
    assert (await api.call("PATCH", f"/api/v4/api-keys/{key_id}", {"enabled": True})).status_code == 404


async def test_a_key_of_an_unknown_access_is_refused(api: Api) -> None:
    for access in ("everything", "event_token"):
        assert (await api.post("/api/v4/api-keys", {"access": access})).status_code == 400


async def test_another_organisations_key_looks_absent(api: Api) -> None:
    _, other = await make_organisation(api.db, "Other Shop")
    (mine,) = (await api.get("/api/v4/api-keys")).json()["items"]
    path = f"/api/v4/api-keys/{mine['key_id']}"
    assert (await api.call("PATCH", path, {"enabled": False}, key=other)).status_code == 404
    assert (await api.call("DELETE", path, key=other)).status_code == 404
    assert (await api.get("/api/v4/organisation")).status_code == 200


async def test_the_client_speaks_them(api: Api, host: str) -> None:
    async with AsyncClient(host, api.key) as perigee:
        made = await perigee.create_api_key("Plugin", access="messages")
        assert (await perigee.enable_api_key(made.key_id, enabled=False)).enabled is False
        await perigee.delete_api_key(made.key_id)
        assert len(await perigee.list_api_keys()) == 1
        assert (await perigee.update_organisation(currency="UAH")).currency == "UAH"
        assert (await perigee.get_organisation()).currency == "UAH"
