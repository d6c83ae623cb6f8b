"""From a template to somebody's inbox: campaigns and single messages on an App Inbox template."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import pytest

from perigee.appinbox.tests.conftest import Inbox
from perigee.campaigns.types import Campaign
from perigee.delivery import lease
from perigee.delivery.lease import Window
from perigee.testing.sending import Shop

GIFT = {
    "title": "A gift for %FIRSTNAME|friend%",
    "text": "You have {{ points | default: 50 }} points",
    "link": "https://shop.example.com/bonus",
    "imageSource": "https://shop.example.com/b.png",
    "customData": '{"category":"bonus"}',
    "ttlSec": 600,
}


@pytest.fixture
def shop(inbox: Inbox) -> Shop:
    return Shop(inbox.api.db, inbox.api.org_id)


async def started(shop: Shop, people: Sequence[int], **versions: Any) -> Campaign:
    return await shop.started(people, channel="appinbox", versions=versions or {"en": GIFT})


async def listed(inbox: Inbox, **who: Any) -> list[dict[str, Any]]:
    answer = await inbox.get("/appinbox/v1/messages", await inbox.token(**who))
    assert answer.status_code == 200
    return list(answer.json()["list"])


async def test_a_campaign_arrives_in_the_inbox_without_any_set_up(inbox: Inbox, shop: Shop) -> None:
    anna = await shop.person("anna@example.com", first_name="Anna")
    nobody = await shop.person(external_id="CRM-7")  # no address at all: the inbox is theirs all the same
    campaign = await started(shop, [anna, nobody])
    await shop.run_sender()
    assert await shop.outcomes(campaign.campaign_id) == {anna: ("sent", None), nobody: ("sent", None)}
    (message,) = await listed(inbox, email="anna@example.com")
    assert message["title"] == "A gift for Anna"
    assert message["content"] == "You have 50 points"
    assert message["image"] == "https://shop.example.com/b.png"
    assert (message["category"], message["customData"]) == ("bonus", '{"category":"bonus"}')
    assert [one["title"] for one in await listed(inbox, extid="CRM-7")] == ["A gift for friend"]
    lives = await shop.sql(
        "select distinct extract(epoch from expires_at - created_at)::int from inbox_message"
        " where org_id = %(org)s"
    )
    assert lives == [(600,)]


async def test_a_pressed_link_and_an_opened_message_are_in_the_report(inbox: Inbox, shop: Shop) -> None:
    anna = await shop.person("anna@example.com")
    campaign = await started(shop, [anna])
    await shop.run_sender()
    (message,) = await listed(inbox, email="anna@example.com")
    link = message["link"]
    assert link.startswith("http://perigee.test/")
    answer = await inbox.api.get(link.removeprefix("http://perigee.test"), key="")
    assert answer.status_code == 302
    assert answer.headers["location"].startswith("https://shop.example.com/bonus?utm_source=")
    token = await inbox.token(email="anna@example.com")
    await inbox.post({"status": "OPENED", "ids": [message["id"]]}, token)
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.opened, report.clicked) == (1, 1, 1)


async def test_each_person_gets_their_language(inbox: Inbox, shop: Shop) -> None:
    anna = await shop.person("anna@example.com", language="uk")
    await started(shop, [anna], en=GIFT, uk={**GIFT, "title": "Подарунок"})
    await shop.run_sender()
    assert [one["title"] for one in await listed(inbox, email="anna@example.com")] == ["Подарунок"]


async def test_the_deleted_and_those_outside_the_category_get_nothing(inbox: Inbox, shop: Shop) -> None:
    anna, gone = await shop.person("anna@example.com"), await shop.person("b@example.com")
    news = await shop.segment("news", [])
    await shop.sql(
        "insert into subscription_category (org_id, key, name, segment_id) values (%(org)s, 'news', 'News', %(s)s)",
        s=news,
    )
    message_id = await shop.message("appinbox", versions={"en": GIFT}, categories=["news"])
    segment_id = await shop.segment("all", [anna, gone])
    campaign = await shop.launch((await shop.campaign(message_id, [segment_id])).campaign_id)
    await shop.run_sender()
    assert {reason for _, reason in (await shop.outcomes(campaign.campaign_id)).values()} == {"category"}
    assert await listed(inbox, email="anna@example.com") == []


async def test_what_a_dead_sender_left_in_flight_is_brought_again_and_lies_there_once(
    inbox: Inbox, shop: Shop
) -> None:
    people = await shop.people(3)
    campaign = await started(shop, people)
    owner = uuid.UUID(int=1)
    held = await lease.claim(shop.db, owner, 30, lease.Lane.CAMPAIGN)
    assert held is not None
    async with shop.db.connection() as connection:
        await lease.commit(connection, held, Window(position=2, in_flight=[0, 1]), 30)
    await inbox.api.rows(
        "insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, expires_at)"
        " values (%(org_id)s, %(send)s, %(ordinal)s, %(contact)s, gen_random_uuid(), 'before the crash', '',"
        " now() + interval '1 day')",
        send=held.send_id,
        ordinal=held.ordinals[0],
        contact=held.recipients[0],
    )
    await shop.sql("update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s")
    await shop.run_sender()
    await shop.retry_now()
    await shop.run_sender()
    assert set((await shop.outcomes(campaign.campaign_id)).values()) == {("sent", None)}
    rows = await inbox.api.rows(
        "select contact_id, title from inbox_message where org_id = %(org_id)s order by 1"
    )
    assert [contact_id for contact_id, _ in rows] == people
    assert rows[0][1] == "before the crash"


async def test_a_single_message_brings_its_data(inbox: Inbox, shop: Shop) -> None:
    await inbox.contact(email="anna@example.com", external_id="CRM-1001")
    message_id = await shop.message("appinbox", versions={"en": GIFT})
    answer = await inbox.api.post(
        f"/api/v1/message/{message_id}/smartsend",
        {"recipients": [{"externalCustomerId": "CRM-1001", "jsonParam": '{"points": 70}'}], "email": False},
    )
    assert answer.status_code == 200, answer.text
    await shop.run_sender()
    (message,) = await listed(inbox, extid="CRM-1001")
    assert message["content"] == "You have 70 points"
    assert message["id"] == answer.json()["results"]["requestId"]
