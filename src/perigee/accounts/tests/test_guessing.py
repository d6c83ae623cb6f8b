"""Wrong credentials, logins in place of keys: contract 2.1, protocols (threats)."""

from __future__ import annotations

import dataclasses

import pytest

from perigee.accounts.bootstrap import create_organisation
from perigee.accounts.guessing import Failures
from perigee.errors import Limited
from perigee.keys import Keys
from perigee.settings import Settings
from perigee.testing.api import SECRET, SETTINGS, Api


def test_failures_run_out_and_come_back_with_time() -> None:
    now = [0.0]
    failures = Failures(30, clock=lambda: now[0])
    for _ in range(30):
        failures.note("192.0.2.1")
    with pytest.raises(Limited) as refused:
        failures.check("192.0.2.1")
    assert refused.value.retry_after == 2
    failures.check("192.0.2.2")
    now[0] += 2
    failures.note("192.0.2.1")
    with pytest.raises(Limited):
        failures.note("192.0.2.1")


class TestGuessing:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, failed_logins_per_minute=5)

    async def test_after_too_many_wrong_keys_the_answer_is_429_and_a_good_key_still_works(
        self, api: Api
    ) -> None:
        codes = [(await api.get("/api/v1/version", key=f"guess{n}")).status_code for n in range(8)]
        assert codes == [401] * 5 + [429] * 3
        assert (await api.get("/api/v1/version")).status_code == 200

    async def test_a_call_without_credentials_is_no_guess(self, api: Api) -> None:
        codes = {(await api.get("/api/v1/version", key="")).status_code for _ in range(8)}
        assert codes == {401}


class TestLogins:
    @pytest.fixture
    def settings(self) -> Settings:
        return dataclasses.replace(SETTINGS, failed_logins_per_minute=4, login_credentials="on")

    async def test_a_login_and_its_password_are_credentials_where_switched_on(self, api: Api) -> None:
        pair = await login(api)
        for _ in range(2):
            answer = await api.client.get("/api/v1/account/info", auth=pair)
            assert answer.status_code == 200
            assert answer.json()["userEmail"] == pair[0]
        wrong = [
            (await api.client.get("/api/v1/account/info", auth=(pair[0], f"no{n}"))).status_code
            for n in range(6)
        ]
        assert wrong == [401] * 4 + [429] * 2
        known = await api.client.get("/api/v1/account/info", auth=pair)
        assert known.status_code == 200  # remembered


async def login(api: Api) -> tuple[str, str]:
    """A person's email and password."""
    pair = ("anna@second.example.com", "correct horse")
    async with api.db.transaction() as connection:
        await create_organisation(connection, Keys.of(SECRET), name="Second", owner=pair[0], password=pair[1])
    return pair


async def test_a_login_is_no_credential_by_default(api: Api) -> None:
    answer = await api.client.get("/api/v1/account/info", auth=("owner@example.example.com", "whatever"))
    assert answer.status_code == 401
