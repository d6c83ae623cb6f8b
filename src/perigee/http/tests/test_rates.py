"""Limits on calls: exact for one process, shared by several, and told with Retry-After (contract sections 4 and 5)."""

from __future__ import annotations

import dataclasses

import pytest

from perigee.db.pool import Database
from perigee.errors import Limited
from perigee.esputnik.limits import _OWN, _PARAMETER, rates
from perigee.http.rates import Rate, Rates
from perigee.http.routes import operations
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api, make_organisation


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def spend_all(rates: Rates, org_id: int, rate: Rate) -> int:
    """How many calls pass until one is refused."""
    for passed in range(10_000):
        try:
            await rates.spend(org_id, rate)
        except Limited:
            return passed
    raise AssertionError("no limit at all")


SLOW = Rate("slow", 50, 3600)


async def test_a_bucket_lets_its_amount_through_and_no_more(db: Database) -> None:
    clock = Clock()
    shared = Rates(db, clock)
    assert await spend_all(shared, 1, SLOW) == 50
    assert await spend_all(shared, 1, SLOW) == 0
    assert await spend_all(shared, 2, SLOW) == 50  # another organisation
    assert await spend_all(shared, 1, Rate("other", 7, 3600)) == 7  # another rate


async def test_processes_share_one_bucket(db: Database) -> None:
    one, two = Rates(db), Rates(db)
    for _ in range(20):
        await one.spend(1, SLOW)
    assert await spend_all(two, 1, SLOW) == 30
    assert await spend_all(one, 1, SLOW) == 0


async def test_waiting_refills(db: Database) -> None:
    shared = Rates(db)
    await spend_all(shared, 1, SLOW)
    async with db.connection() as connection:
        await connection.execute("update rate_bucket set at = at - interval '10 minutes' where org_id = 1")
    assert await spend_all(Rates(db), 1, SLOW) in (8, 9)  # 50 an hour is 8.3 in ten minutes


async def test_a_refused_caller_costs_no_statement_until_there_is_a_token_again(db: Database) -> None:
    clock = Clock()
    shared = Rates(db, clock)
    await spend_all(shared, 1, SLOW)
    async with db.connection() as connection:
        await connection.execute("delete from rate_bucket")
    assert await spend_all(shared, 1, SLOW) == 0
    clock.now += 73
    assert await spend_all(shared, 1, SLOW) == 50


async def test_held_tokens_are_dropped_when_the_caller_pauses(db: Database) -> None:
    clock = Clock()
    fast = Rate("fast", 100_000)
    shared = Rates(db, clock)
    for _ in range(100):
        await shared.spend(1, fast)
    async with db.connection() as connection:
        await connection.execute("update rate_bucket set tokens = 0, at = now() + interval '1 hour'")
    clock.now += 2
    assert await spend_all(shared, 1, fast) == 0


def test_each_method_has_its_limit() -> None:
    settings = Settings(home=SETTINGS.home)

    def amounts(method: str, path: str) -> list[tuple[int, int]]:
        return [(rate.amount, rate.seconds) for rate in rates(settings, method, path)]

    assert amounts("GET", "/v1/contacts") == [(50, 1)]
    assert amounts("POST", "/v1/contacts") == [(200, 1)]
    assert amounts("GET", "/v1/contact/token/{app_uuid}/{token_id}/contactId") == [(150, 1)]
    assert (
        amounts("POST", "/v1/event")
        == amounts("POST", "/v2/event")
        == amounts("POST", "/v3/event")
        == [(350, 1)]
    )
    assert len({rates(settings, "POST", f"/v{n}/event")[0].name for n in (1, 2, 3)}) == 3
    assert amounts("POST", "/v2/past_events") == [(100, 1)]
    assert amounts("DELETE", "/v1/past_events") == [(5, 1)]
    assert amounts("PUT", "/v1/interactions/{interaction_id}/status") == [(300, 1)]
    assert amounts("GET", "/v2/contacts/messages") == [(10, 1)]
    assert amounts("GET", "/v1/messages/email/{message_id:int}") == [(10, 1), (500, 3600)]
    assert amounts("GET", "/v1/messages/sms") == [(500, 3600)]
    assert amounts("GET", "/v1/messages/email/{message_id:int}/viewLink") == [(500, 3600)]
    assert amounts("POST", "/v1/messages/sms") == [(200, 1)]


def test_every_limit_names_a_method_that_exists() -> None:
    known = {(op.method, _PARAMETER.sub("{}", op.path)) for op in operations()}
    assert set(_OWN) <= known


class TestOverTheWire:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(
            SETTINGS,
            rate_calls=3,
            rate_template_reads_per_hour=2,
            rate_own_calls=1,
            rate_past_events_deletion=1,
        )

    async def test_too_fast_is_429_with_retry_after(self, api: Api) -> None:
        answers = [await api.get("/api/v1/account/info") for _ in range(5)]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        refused = answers[-1]
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["status"] == 429
        assert (await api.get("/api/v1/groups")).status_code == 429  # together
        assert (await api.get("/api/v1/contacts")).status_code == 200  # a limit of its own, here off

    async def test_template_reads_share_an_hourly_limit(self, api: Api) -> None:
        codes = [
            (await api.get(f"/api/v1/messages/{channel}")).status_code
            for channel in ("email", "sms", "viber")
        ]
        assert codes == [200, 200, 429]

    async def test_own_api_refuses_in_its_own_form(self, api: Api) -> None:
        await api.get("/api/v4/segments")
        refused = await api.get("/api/v4/segments")
        assert refused.status_code == 429
        assert refused.headers["content-type"].startswith("application/problem+json")

    async def test_a_stranger_spends_nothing(self, api: Api) -> None:
        for _ in range(5):
            assert (await api.get("/api/v1/account/info", key="wrong")).status_code == 401
        assert (await api.get("/api/v1/account/info")).status_code == 200

    async def test_another_organisation_is_not_held_up(self, api: Api) -> None:
        for _ in range(5):
            await api.get("/api/v1/account/info")
        _, key = await make_organisation(api.db, "Other Shop")
        assert (await api.get("/api/v1/account/info", key=key)).status_code == 200
