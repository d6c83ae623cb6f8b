"""What the worker reports of a message (TRACKING 4.4, contract 22.6)."""

from __future__ import annotations

import secrets

import httpx
import pytest

from perigee.keys import Keys
from perigee.lib.ids import message_uuid
from perigee.lib.tokens import encode
from perigee.push.vapid import make_pair
from perigee.testing.api import SECRET, Api

ORIGIN = "https://shop.example.com"


class Pushed:
    """A browser to which one web push was sent an hour ago."""

    def __init__(self, api: Api, key: str, token: str, interaction: str) -> None:
        self.api = api
        self.key = key
        self.token = token
        self.interaction = interaction

    async def report(self, status: str, **change: object) -> httpx.Response:
        body = {"site": self.key, "token": self.token, "interactionId": self.interaction, "status": status}
        return await self.api.post("/webpush/reports", body | change, key="", headers={"origin": ORIGIN})

    async def statuses(self) -> list[str]:
        rows = await self.api.rows(
            "select status from activity where org_id = %(org_id)s order by activity_id"
        )
        return [row[0] for row in rows]


@pytest.fixture
async def pushed(api: Api) -> Pushed:
    await api.post(
        "/api/v1/site/webpush/domain",
        {"domain": ORIGIN, "serviceWorkerName": "sw.js", "serviceWorkerPath": "/", "serviceWorkerScope": "/"},
    )
    script = (await api.get(f"/api/v1/site/webpush/script?domain={ORIGIN}")).json()["script"]
    key = script.split("/webpush/")[1].split(".js")[0]
    subscription = {
        "endpoint": "https://fcm.googleapis.com/fcm/send/1",
        "keys": {"p256dh": make_pair().public, "auth": encode(secrets.token_bytes(16))},
    }
    made = (
        await api.post("/webpush/subscriptions", {"site": key, "subscription": subscription}, key="")
    ).json()
    ((send_id,),) = await api.rows(
        """with kept as (insert into send_content (org_id, digest, content) values (%(org_id)s, 'x', '{}'))
           insert into send (org_id, started_at, kind, channel, marketing, provider_id, content_digest)
           values (%(org_id)s, now() - interval '1 hour', 'campaign', 'webpush', true, 1, 'x') returning send_id"""
    )
    await api.rows(
        """insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, at)
           select org_id, started_at, send_id, 0, %(contact)s, %(token)s, 'sent', started_at from send
           where org_id = %(org_id)s""",
        contact=made["contactId"],
        token=made["token"],
    )
    interaction = message_uuid(Keys.of(SECRET).message_ids, api.org_id, send_id, 0)
    return Pushed(api, key, made["token"], str(interaction))


async def test_delivered_and_clicked_are_counted_once_each(pushed: Pushed) -> None:
    for status in ("DELIVERED", "CLICKED", "CLICKED"):
        answer = await pushed.report(status)
        assert (answer.status_code, answer.content) == (200, b"")
    assert sorted(await pushed.statuses()) == ["CLICKED", "DELIVERED"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"token": "another"}, 404),
        ({"interactionId": "99d591ab-0000-4000-8000-000000000001"}, 404),
        ({"interactionId": None}, 404),
        ({"token": None}, 400),
        ({"status": "SEEN"}, 400),
        ({"site": "unknown"}, 400),
    ],
)
async def test_what_does_not_belong_together_counts_nothing(
    pushed: Pushed, change: dict[str, object], status: int
) -> None:
    answer = await pushed.report(**({"status": "CLICKED"} | change))  # type: ignore[arg-type]  # wrong on purpose
    assert answer.status_code == status
    assert await pushed.statuses() == []
