"""Limits of providers and destinations over /api/v4."""

from __future__ import annotations

import pytest

from perigee.delivery import destinations
from perigee.testing.api import Api

RELAY = {"channel": "email", "kind": "smtp", "name": "Relay", "settings": {"host": "127.0.0.1", "port": 2525}}


async def test_limits_of_a_provider_are_stored_changed_and_shown_with_todays_use(api: Api) -> None:
    made = await api.post("/api/v4/providers", {**RELAY, "weight": 3, "limits": {"second": 14, "day": 500}})
    assert made.status_code == 201, made.text
    one = made.json()
    assert (one["weight"], one["limits"]) == (3, {"second": 14, "day": 500})
    assert (one["used_today"], one["allowed_today"]) == (0, 500)
    path = f"/api/v4/providers/{one['provider_id']}"
    assert (await api.call("PATCH", path, {"name": "Other"})).json()["limits"] == {"second": 14, "day": 500}
    await api.rows(
        "insert into pace (org_id, name, tokens, at, day, used)"
        " select %(org_id)s, %(n)s, 0, now(), (now() at time zone 'UTC')::date, 77 returning 1",
        n=f"{one['provider_id']}:day",
    )
    assert (await api.call("PATCH", path, {"limits": {"day": 100}})).json()["used_today"] == 77
    assert "used_today" not in (await api.call("PATCH", path, {"limits": {}})).json()
    future = (await api.call("PATCH", path, {"limits": {"warm_up_from": "2999-01-01"}})).json()
    assert future["allowed_today"] == 0


@pytest.mark.parametrize(
    "limits", [{"second": 0}, {"week": 5}, {"day": -1}, {"warm_up_from": "soon"}, {"hour": "many"}]
)
async def test_limits_that_make_no_sense_are_refused(api: Api, limits: dict[str, object]) -> None:
    answer = await api.post("/api/v4/providers", {**RELAY, "limits": limits})
    assert answer.status_code == 400, answer.text
    assert "limits" in answer.text


async def test_a_destination_is_limited_shown_and_lifted(api: Api) -> None:
    made = await api.post("/api/v4/destinations", {"name": "UKR.net", "per_second": 0.5})
    assert (made.status_code, made.json()) == (201, {"name": "ukr.net", "per_second": 0.5})
    provider = (await api.post("/api/v4/providers", RELAY)).json()["provider_id"]
    await destinations.stop(api.db, api.org_id, provider, "gmail.com", None, "blocked")
    await destinations.slow(api.db, api.org_id, provider, {"ukr.net": 100.0}, "busy")
    found = {one["name"]: one for one in (await api.get("/api/v4/destinations")).json()["items"]}
    assert found["gmail.com"]["stopped"] is True
    assert found["gmail.com"]["reason"] == "blocked"
    assert (found["ukr.net"]["per_second"], found["ukr.net"]["rate"]) == (0.5, 50.0)
    for name in found:
        assert (await api.delete(f"/api/v4/destinations/{name}")).status_code in (200, 204)
        assert (await api.delete(f"/api/v4/destinations/{name}")).status_code == 404
    assert (await api.get("/api/v4/destinations")).json()["items"] == []
