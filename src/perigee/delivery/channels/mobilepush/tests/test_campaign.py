"""Campaigns to devices, from the call to the push: an application's keys are all the set-up."""

from __future__ import annotations

from perigee.delivery.channels.mobilepush.tests.conftest import Devices
from perigee.delivery.providers import MOBILE_PUSH, pick_provider


async def test_a_campaign_reaches_both_kinds_of_devices_and_drops_those_that_are_gone(
    devices: Devices,
) -> None:
    android, apple, gone = (
        await devices.device(),
        await devices.device(apple=True),
        await devices.device(apple=True),
    )
    devices.service.answer(
        f"/3/device/{gone}", 410, {"reason": "Unregistered", "timestamp": 4_000_000_000_000}
    )
    card = {"title": "Sale", "text": "50 %", "link": "https://shop.example.com/sale"}
    made = await devices.api.post(
        "/api/v4/messages", {"channel": "mobilepush", "name": "Push", "content": card}
    )
    people = [
        row[0] for row in await devices.shop.sql("select contact_id from contact where org_id = %(org)s")
    ]
    segment = await devices.shop.segment("everybody", people)
    campaign = await devices.shop.launch(
        (await devices.shop.campaign(int(made.json()["message_id"]), [segment])).campaign_id
    )
    await devices.shop.run_sender()
    report = await devices.shop.report(campaign.campaign_id)
    assert (report.chosen, report.sent, sum(report.failed.values())) == (3, 2, 1)
    assert await devices.tokens() == {android, apple}
    links = {
        one.json().get("es_link") or one.json()["message"]["data"]["es_link"] for one in devices.pushes()
    }
    assert all(link.startswith("http://perigee.test/c/") for link in links)
    statuses = await devices.shop.sql("select status from activity where org_id = %(org)s order by status")
    assert [status for (status,) in statuses] == ["SENT", "SENT", "UNDELIVERED"]


async def test_without_keys_the_sandbox_takes_mobile_pushes(devices: Devices) -> None:
    async with devices.api.db.transaction() as connection:
        assert await pick_provider(connection, devices.api.org_id, "mobilepush") == MOBILE_PUSH.provider_id
    taken = await devices.api.put(f"/api/v4/apps/{devices.app_id}/credentials", {"fcm": None, "apns": None})
    assert taken.json() == {"app_id": devices.app_id}
    async with devices.api.db.transaction() as connection:
        assert await pick_provider(connection, devices.api.org_id, "mobilepush") > 0
