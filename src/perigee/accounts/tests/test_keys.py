"""API keys, tokens and logins: who they let in, how long, and what is stored of them."""

from __future__ import annotations

import base64

import pytest

from perigee.accounts import store
from perigee.accounts.authenticate import Authenticator, basic_credentials
from perigee.accounts.bootstrap import ensure_first_organisation
from perigee.accounts.keys import create_api_key, create_event_token
from perigee.accounts.types import Principal
from perigee.db.pool import Database
from perigee.errors import Forbidden, Invalid, Unauthorized
from perigee.keys import Keys
from perigee.testing.api import SECRET, SETTINGS, make_organisation

PEPPER = Keys.of(SECRET).pepper


def basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


async def caller(db: Database, authorization: str, *, idle_days: int = 90) -> Principal | None:
    """A fresh authenticator each time: nothing remembered."""
    try:
        return await Authenticator(db, PEPPER, key_idle_days=idle_days).authenticate(authorization)
    except Unauthorized:
        return None


async def test_a_key_names_its_organisation_and_its_makers_address(db: Database) -> None:
    org_id, key = await make_organisation(db)
    other_id, _ = await make_organisation(db, "Other Shop")
    found = await caller(db, basic("", key))
    assert found is not None
    assert (found.org_id, found.access, found.user_email) == (org_id, "full", "owner@example.example.com")
    assert other_id != org_id
    assert await caller(db, basic("", key + "x")) is None
    assert await caller(db, basic("", "")) is None


async def test_only_a_fingerprint_of_a_key_is_stored(db: Database) -> None:
    _, key = await make_organisation(db)
    async with db.connection() as connection:
        rows = await (await connection.execute("select api_key::text from api_key")).fetchall()
    assert len(rows) == 1
    assert key not in rows[0][0]
    assert await caller(db, basic("", rows[0][0])) is None


async def test_a_key_rests_after_its_idle_days(db: Database) -> None:
    org_id, key = await make_organisation(db)
    async with db.transaction() as connection:
        await connection.execute(
            "update api_key set created_at = now() - interval '91 days', last_used_at = null "
            "where org_id = %s",
            [org_id],
        )
    assert await caller(db, basic("", key)) is None
    assert await caller(db, basic("", key), idle_days=0) is not None  # 0: never; and this was a use
    assert await caller(db, basic("", key)) is not None


async def test_a_key_is_switched_off_and_on_with_its_tokens(db: Database) -> None:
    org_id, key = await make_organisation(db)
    async with db.transaction() as connection:
        (row,) = await store.list_api_keys(connection, org_id)
        token = await create_event_token(connection, org_id, row.key_id, PEPPER, days=30)
    for enabled in (False, True):
        async with db.transaction() as connection:
            assert await store.enable_api_key(connection, org_id, row.key_id, enabled)
            assert not await store.enable_api_key(connection, org_id + 1, row.key_id, enabled)
        assert (await caller(db, basic("", key)) is not None) == enabled
        assert (await caller(db, f"Bearer {token}") is not None) == enabled


async def test_a_token_ends_and_is_no_key(db: Database) -> None:
    org_id, key = await make_organisation(db)
    async with db.transaction() as connection:
        (row,) = await store.list_api_keys(connection, org_id)
        token = await create_event_token(connection, org_id, row.key_id, PEPPER, days=30)
        ended = await create_event_token(connection, org_id, row.key_id, PEPPER, days=0)
    found = await caller(db, f"Bearer {token}")
    assert found is not None
    assert (found.org_id, found.access) == (org_id, "event_token")
    assert await caller(db, f"Bearer {ended}") is None
    assert await caller(db, basic("", token)) is None
    assert await caller(db, f"Bearer {key}") is None


async def test_what_was_remembered_does_not_mix_keys_and_tokens(db: Database) -> None:
    org_id, key = await make_organisation(db)
    async with db.transaction() as connection:
        (row,) = await store.list_api_keys(connection, org_id)
        token = await create_event_token(connection, org_id, row.key_id, PEPPER, days=30)
    authenticator = Authenticator(db, PEPPER, key_idle_days=90)
    await authenticator.authenticate(basic("", key))
    await authenticator.authenticate(f"Bearer {token}")
    for swapped in (basic("", token), f"Bearer {key}"):
        with pytest.raises(Unauthorized):
            await authenticator.authenticate(swapped)


@pytest.mark.parametrize("access", ["event_token", "everything", ""])
async def test_no_key_of_an_unknown_level(db: Database, access: str) -> None:
    org_id, _ = await make_organisation(db)
    async with db.transaction() as connection:
        with pytest.raises(Invalid, match="access"):
            await create_api_key(connection, org_id, PEPPER, description="x", access=access)


async def test_a_token_needs_a_key(db: Database) -> None:
    org_id, _ = await make_organisation(db)
    async with db.transaction() as connection:
        with pytest.raises(Forbidden):
            await create_event_token(connection, org_id, None, PEPPER, days=30)


async def test_the_first_start_makes_one_organisation_whose_secrets_work(db: Database) -> None:
    async with db.transaction() as connection:
        first = await ensure_first_organisation(connection, SETTINGS)
    async with db.transaction() as connection:
        assert await ensure_first_organisation(connection, SETTINGS) is None
    assert first is not None
    found = await caller(db, basic("", first.api_key))
    assert found is not None
    assert (found.org_id, found.user_email) == (first.org_id, first.login)
    authenticator = Authenticator(db, PEPPER, key_idle_days=90)
    person = await authenticator.authenticate_person(basic(first.login.upper(), first.password))
    assert (person.org_id, person.access, person.key_id) == (first.org_id, "full", None)
    for login, password in ((first.login, "wrong"), ("nobody@example.com", first.password)):
        with pytest.raises(Unauthorized):
            await authenticator.authenticate_person(basic(login, password))
    # The API itself takes keys only.
    with pytest.raises(Unauthorized):
        await authenticator.authenticate(basic(first.login, first.password))


@pytest.mark.parametrize(
    ("value", "pair"),
    [
        (base64.b64encode(b"a:b:c").decode(), ("a", "b:c")),
        (base64.b64encode(b":key").decode(), ("", "key")),
        (base64.b64encode(b"no colon").decode(), ("no colon", "")),
        (base64.b64encode(b"\xff:x").decode(), ("", "")),
        ("not base64!", ("", "")),
        ("", ("", "")),
    ],
)
def test_basic_credentials(value: str, pair: tuple[str, str]) -> None:
    assert basic_credentials(value) == pair
