"""Providers over /api/v4: added, listed, secrets kept to ourselves, mistakes named."""

from __future__ import annotations

import pytest

from perigee.delivery.providers import Channels, pick_provider
from perigee.keys import Keys
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
