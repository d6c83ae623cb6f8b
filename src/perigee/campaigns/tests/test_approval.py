"""Launches that somebody else must approve."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.campaigns import manage
from perigee.testing.api import Api
from perigee.testing.sending import Shop

RULES = "/api/v4/sending-rules"
NOW = datetime.now(UTC)


@pytest.fixture
async def shop(api: Api) -> Shop:
    return Shop(api.db, api.org_id)


async def launched(api: Api, shop: Shop) -> dict[str, Any]:
    answer = await api.call("PUT", RULES, {"approval": True})
    assert (answer.status_code, answer.json()["approval"]) == (200, True)
    wanted = {
        "message_id": await shop.message(),
        "include": [await shop.segment("All", await shop.people(2))],
    }
    made = (await api.post("/api/v4/campaigns", wanted)).json()
    answer = await api.post(f"/api/v4/campaigns/{made['campaign_id']}/launch")
    found: dict[str, Any] = answer.json()
    return found


async def test_a_launch_waits_for_another_key(api: Api, shop: Shop) -> None:
    waiting = await launched(api, shop)
    assert waiting["state"] == "awaiting_approval"
    path = f"/api/v4/campaigns/{waiting['campaign_id']}"
    await shop.launch_due()
    assert (await api.get(path)).json()["state"] == "awaiting_approval"
    assert (await api.post(f"{path}/approve")).status_code == 403
    other = (await api.post("/api/v4/api-keys", {"description": "Boss"})).json()["key"]
    for _ in range(2):
        approved = await api.post(f"{path}/approve", key=other)
        assert (approved.status_code, approved.json()["state"]) == (200, "scheduled")
    await shop.launch_due()
    assert (await api.get(path)).json()["state"] == "running"


async def test_a_draft_cannot_be_approved(api: Api, shop: Shop) -> None:
    wanted = {"message_id": await shop.message(), "include": [await shop.segment("All", [])]}
    made = (await api.post("/api/v4/campaigns", wanted)).json()
    assert (await api.post(f"/api/v4/campaigns/{made['campaign_id']}/approve")).status_code == 409


async def test_what_waits_can_be_cancelled(api: Api, shop: Shop) -> None:
    waiting = await launched(api, shop)
    answer = await api.post(f"/api/v4/campaigns/{waiting['campaign_id']}/stop")
    assert answer.json()["state"] == "cancelled"


async def test_approved_too_late_it_goes_now(api: Api, shop: Shop) -> None:
    waiting = await launched(api, shop)
    later = NOW + timedelta(days=1)
    approved = await shop.act(manage.approve, waiting["campaign_id"], by="somebody else", now=later)
    assert approved.scheduled_at == later


async def test_broadcasts_of_the_old_wire_wait_too(api: Api, shop: Shop) -> None:
    await api.call("PUT", RULES, {"approval": True})
    body = {
        "title": "Sale",
        "messageId": await shop.message(),
        "groups": [await shop.segment("All", await shop.people(1))],
    }
    assert (await api.post("/api/v1/broadcast", body)).status_code == 200
    assert await shop.value("select state from campaign where org_id = %(org)s") == "awaiting_approval"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"hours": {"sms": {"start": "08:00", "end": "08:00"}}}, "hours.sms.start"),
        ({"annoyance": {"sms": {"daily": 1}}}, "annoyance"),
        ({"strategy": [{"segment_id": 77, "days": {}}]}, "strategy"),
        ({"strategy": [{"days": {}}, {"days": {}}]}, "strategy[0].segment_id"),
    ],
)
async def test_rules_that_cannot_be_meant_are_refused(api: Api, wanted: dict[str, Any], field: str) -> None:
    answer = await api.call("PUT", RULES, wanted)
    assert answer.status_code == 400, answer.text
    assert field in answer.text
    assert (await api.get(RULES)).json()["approval"] is False
