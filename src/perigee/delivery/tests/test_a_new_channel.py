"""The recipe of CONTRIBUTING.md, followed: a class with a settings form and one line in the registry is all it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec import Meta

from perigee.delivery.channel import Medium, Outcome, Outgoing, Reason, Receipt, SetChannel
from perigee.delivery.channels import CHANNELS
from perigee.testing.api import Api
from perigee.testing.outside import web_server
from perigee.testing.sending import Shop


class PigeonSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: str
    key: Annotated[str, Meta(title="Key", extra_json_schema={"secret": True})] = ""
    receipts: bool = False


class PigeonChannel(SetChannel):
    """A gateway that takes lists of SMS and says of each whether it took it."""

    medium = Medium.SMS
    Settings = PigeonSettings
    set_size = 2

    def __init__(self, settings: PigeonSettings) -> None:
        super().__init__()
        self._settings = settings
        self.reports = settings.receipts

    async def send(self, batch: Sequence[Outgoing]) -> list[Receipt]:
        body = [{"to": one.address, "text": one.payload.decode(), "id": one.iid} for one in batch]
        headers = {"X-Key": self._settings.key}
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._settings.url, json=body, headers=headers) as answer,
        ):
            taken = await answer.json()
        return [
            Receipt(Outcome.SENT, provider_id=one["id"])
            if one["ok"]
            else Receipt(Outcome.FAILED, Reason.NO_SUCH_RECIPIENT, one["why"])
            for one in taken
        ]


@asynccontextmanager
async def stand_in() -> AsyncIterator[tuple[str, list[Any]]]:
    """The gateway at the wire: its address, and what it was told."""
    calls: list[Any] = []

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        batch = await request.json()
        calls.append((request.headers["X-Key"], batch))
        return web.json_response(
            [
                {"ok": not one["to"].endswith("3"), "id": f"p-{one['to']}", "why": "no such number"}
                for one in batch
            ]
        )

    async with web_server(take) as port:
        yield f"http://127.0.0.1:{port}/", calls


async def sent_through(api: Api, url: str, **settings: Any) -> dict[str, tuple[str, str | None]]:
    """A campaign to three people through the new channel; outcomes by phone."""
    body = {
        "channel": "sms",
        "kind": "pigeon",
        "name": "Pigeons",
        "settings": {"url": url, "key": "s3cret", **settings},
    }
    made = await api.post("/api/v4/providers", body)
    assert made.status_code == 201, made.text
    assert "s3cret" not in made.text
    shop = Shop(api.db, api.org_id)
    phones = {await shop.person(phone=f"38050000000{n}"): f"38050000000{n}" for n in (1, 2, 3)}
    campaign = await shop.started(list(phones), channel="sms")
    await shop.run_sender()
    outcomes = await shop.outcomes(campaign.campaign_id)
    return {phones[contact]: outcome for contact, outcome in outcomes.items()}


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line."""
    monkeypatch.setitem(CHANNELS, "pigeon", f"{__name__}:PigeonChannel")


@pytest.mark.usefixtures("registered")
async def test_a_class_and_one_line_carry_a_campaign(api: Api) -> None:
    async with stand_in() as (url, calls):
        outcomes = await sent_through(api, url)
    assert {phone: outcome[0] for phone, outcome in outcomes.items()} == {
        "380500000001": "sent",
        "380500000002": "sent",
        "380500000003": "failed",
    }
    assert outcomes["380500000003"] == ("failed", "no_such_recipient")
    assert sorted(one["to"] for _, batch in calls for one in batch) == [f"38050000000{n}" for n in (1, 2, 3)]
    assert {key for key, _ in calls} == {"s3cret"}
    assert max(len(batch) for _, batch in calls) <= PigeonChannel.set_size


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("receipts", [False, True])
async def test_reports_says_whether_a_taken_message_counts_as_delivered(api: Api, receipts: bool) -> None:
    async with stand_in() as (url, _):
        await sent_through(api, url, receipts=receipts)
    rows = await api.rows("select status from activity where org_id = %(org_id)s and channel = 'sms'")
    assert sum(status == "DELIVERED" for (status,) in rows) == (0 if receipts else 2)


@pytest.mark.usefixtures("registered")
async def test_a_mistake_in_its_form_is_named(api: Api) -> None:
    body = {
        "channel": "sms",
        "kind": "pigeon",
        "name": "x",
        "settings": {"url": "http://x.example", "wings": 2},
    }
    answer = await api.post("/api/v4/providers", body)
    assert (answer.status_code, answer.json()["field"]) == (400, "settings")
    assert "wings" in answer.text
