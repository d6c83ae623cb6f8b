"""Providers over /api/v4: added, listed, secrets kept to ourselves, mistakes named."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from perigee.db.pool import Connection
from perigee.delivery.provider_changes import remove_provider
from perigee.delivery.providers import Channels, pick_provider
from perigee.errors import Conflict
from perigee.keys import Keys
from perigee.lib.tokens import unseal
from perigee.testing.api import SECRET, Api

SMTP = {
    "channel": "email",
    "kind": "smtp",
    "name": "Relay",
    "settings": {
        "host": "127.0.0.1",
        "port": 2525,
        "security": "none",
        "username": "shop",
        "password": "s3cret",
    },
}


async def test_an_added_relay_is_the_first_choice_and_keeps_its_password_to_itself(api: Api) -> None:
    made = await api.post("/api/v4/providers", SMTP)
    assert made.status_code == 201, made.text
    listed = (await api.get("/api/v4/providers")).json()["items"]
    assert [one["name"] for one in listed if one["channel"] == "email"] == ["Relay", "Sandbox"]
    assert "s3cret" not in made.text + str(listed)
    async with api.db.connection() as connection:
        chosen = await pick_provider(connection, api.org_id, "email")
    assert chosen == made.json()["provider_id"]
    ((stored,),) = await api.rows("select secrets from provider where org_id = %(org_id)s and kind = 'smtp'")
    assert b"s3cret" not in stored
    channels = Channels(api.db, Keys.of(SECRET).sealing, {})
    await channels.get(api.org_id, chosen)  # opens: the sealed password is read back
    await channels.close()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"channel": "sms"}, "channel"),
        ({"settings": {"host": "a b", "port": 25}}, "settings"),
        ({"settings": {"host": "127.0.0.1", "port": 70_000}}, "settings"),
    ],
)
async def test_a_mistake_is_named_and_nothing_is_stored(
    api: Api, change: dict[str, object], named: str
) -> None:
    before = (await api.get("/api/v4/providers")).json()
    answer = await api.post("/api/v4/providers", {**SMTP, **change})
    assert answer.status_code == 400, answer.text
    assert answer.json()["field"] == named
    assert (await api.get("/api/v4/providers")).json() == before


async def made(api: Api) -> int:
    answer = await api.post("/api/v4/providers", SMTP)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["provider_id"])


async def stored(api: Api, provider_id: int) -> tuple[dict[str, object], dict[str, object]]:
    """(settings, secrets) as a channel is opened with them."""
    ((settings, secrets),) = await api.rows(
        "select settings, secrets from provider where org_id = %(org_id)s and provider_id = %(id)s",
        id=provider_id,
    )
    sealing = Keys.of(SECRET).sealing
    return settings, msgspec.json.decode(unseal(sealing, secrets)) if secrets else {}


async def test_what_a_change_does_not_name_stays(api: Api) -> None:
    provider_id = await made(api)
    path = f"/api/v4/providers/{provider_id}"
    before = await stored(api, provider_id)
    answer = await api.call("PATCH", path, {"name": "Other", "priority": 5})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["name"], answer.json()["priority"], answer.json()["enabled"]) == ("Other", 5, True)
    assert await stored(api, provider_id) == before
    answer = await api.call("PATCH", path, {"settings": {"port": 587}})
    assert answer.json()["settings"]["port"] == 587
    assert answer.json()["settings"]["host"] == "127.0.0.1"
    assert (await stored(api, provider_id))[1] == {"password": "s3cret"}
    assert (answer.json()["name"], answer.json()["priority"]) == ("Other", 5)


async def test_a_secret_is_replaced_when_it_is_given_and_is_not_shown(api: Api) -> None:
    provider_id = await made(api)
    path = f"/api/v4/providers/{provider_id}"
    answer = await api.call("PATCH", path, {"settings": {"password": "n3w-one"}})
    assert answer.status_code == 200
    assert "n3w-one" not in answer.text
    settings, secrets = await stored(api, provider_id)
    assert secrets == {"password": "n3w-one"}
    assert "password" not in settings
    await api.call("PATCH", path, {"settings": {"password": None, "username": None}})
    settings, secrets = await stored(api, provider_id)
    assert secrets == {}
    assert "username" not in settings


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"settings": {"port": 70_000}}, "settings"),
        ({"settings": {"host": None}}, "settings"),
        ({"settings": {"colour": "red"}}, "settings"),
        ({"name": ""}, "name"),
        ({"name": "\x00"}, "name"),
        ({"priority": -1}, "priority"),
        ({"kind": "sandbox"}, "kind"),
    ],
)
async def test_a_refused_change_changes_nothing(api: Api, change: dict[str, object], named: str) -> None:
    provider_id = await made(api)
    before = await stored(api, provider_id), (await api.get("/api/v4/providers")).json()
    answer = await api.call("PATCH", f"/api/v4/providers/{provider_id}", {"priority": 7, **change})
    assert answer.status_code == 400, answer.text
    assert named in answer.text
    assert before == (await stored(api, provider_id), (await api.get("/api/v4/providers")).json())


async def test_a_disabled_provider_is_not_chosen_until_it_is_enabled(api: Api) -> None:
    provider_id = await made(api)
    chosen = []
    for enabled in (False, True):
        await api.call("PATCH", f"/api/v4/providers/{provider_id}", {"enabled": enabled})
        async with api.db.connection() as connection:
            chosen.append(await pick_provider(connection, api.org_id, "email") == provider_id)
    assert chosen == [False, True]


async def test_a_removed_provider_is_gone(api: Api) -> None:
    path = f"/api/v4/providers/{await made(api)}"
    assert (await api.call("DELETE", path)).status_code == 204
    assert "Relay" not in (await api.get("/api/v4/providers")).text
    assert (await api.call("DELETE", path)).status_code == 404
    assert (await api.call("PATCH", path, {"enabled": True})).status_code == 404


async def test_the_built_in_provider_can_be_neither_changed_nor_removed(api: Api) -> None:
    assert (await api.call("PATCH", "/api/v4/providers/0", {"enabled": False})).status_code == 404
    assert (await api.call("DELETE", "/api/v4/providers/0")).status_code == 404


async def send_through(connection: Connection, org_id: int, provider_id: int, state: str) -> None:
    await connection.execute(
        "insert into send (org_id, started_at, kind, channel, marketing, provider_id, content_digest, state)"
        " values (%(org)s, now(), 'single', 'email', false, %(id)s, '\\x00', %(state)s)",
        {"org": org_id, "id": provider_id, "state": state},
    )


@pytest.mark.parametrize(
    ("state", "status"),
    [("preparing", 409), ("running", 409), ("paused", 409), ("stopped", 204), ("finished", 204)],
)
async def test_a_send_that_is_not_over_keeps_its_provider(api: Api, state: str, status: int) -> None:
    provider_id = await made(api)
    async with api.db.transaction() as connection:
        await send_through(connection, api.org_id, provider_id, state)
    assert (await api.call("DELETE", f"/api/v4/providers/{provider_id}")).status_code == status
    left = "Relay" in (await api.get("/api/v4/providers")).text
    assert left is (status == 409)


async def test_a_provider_is_not_removed_between_its_choice_and_the_send(api: Api) -> None:
    provider_id = await made(api)

    async def remove() -> None:
        async with api.db.transaction() as other:
            await remove_provider(other, api.org_id, provider_id)

    async with api.db.transaction() as connection:
        assert await pick_provider(connection, api.org_id, "email") == provider_id
        removal = asyncio.create_task(remove())
        waits = "select 1 from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
        while not await (await connection.execute(waits)).fetchone():
            assert not removal.done()
            await asyncio.sleep(0.01)
        await send_through(connection, api.org_id, provider_id, "preparing")
    with pytest.raises(Conflict, match="in use"):
        await removal


async def test_a_stored_secret_goes_to_no_other_host(api: Api) -> None:
    provider_id = await made(api)
    path = f"/api/v4/providers/{provider_id}"
    answer = await api.call("PATCH", path, {"settings": {"host": "evil.example.com"}})
    assert (answer.status_code, answer.json()["field"]) == (400, "password")
    assert "must be given again, because host changes" in answer.text
    answer = await api.call("PATCH", path, {"settings": {"host": "new.example.com", "password": "other"}})
    assert answer.status_code == 200, answer.text
    assert (await stored(api, provider_id))[1] == {"password": "other"}


async def test_a_gateways_secrets_belong_to_its_address(api: Api) -> None:
    wanted = {
        "channel": "viber",
        "kind": "http_gateway",
        "name": "Infobip",
        "settings": {"preset": "infobip", "values": {"server": "https://a.example.com"}, "token": "t"},
    }
    answer = await api.post("/api/v4/providers", wanted)
    assert answer.status_code == 201, answer.text
    assert "token" not in answer.json()["settings"]
    path = f"/api/v4/providers/{answer.json()['provider_id']}"
    moved = {"settings": {"values": {"server": "https://evil.example.com"}}}
    answer = await api.call("PATCH", path, moved)
    assert (answer.status_code, answer.json()["field"]) == (400, "token")
    assert (await api.call("PATCH", path, {"settings": {"connections": 5}})).status_code == 200
    answer = await api.post("/api/v4/providers", {**wanted, "channel": "email"})
    assert (answer.status_code, answer.json()["field"]) == (400, "channel")
