"""Whoever is erased while a campaign waits for them: nothing is sent, and the books still add up (reliability 6)."""

from __future__ import annotations

import pytest

from perigee.contacts.erasure.erase import erase_all, sweep
from perigee.db.pool import Database
from perigee.testing.sending import Shop, make_shop


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)


async def erase(shop: Shop, contact_id: int) -> None:
    async with shop.db.transaction() as conn:
        await erase_all(conn, shop.org_id, [contact_id])


async def test_a_campaign_that_has_not_reached_them(shop: Shop) -> None:
    first, second = await shop.people(2)
    campaign = await shop.started([first, second])
    await erase(shop, first)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.chosen, report.sent, sum(report.dropped.values())) == (2, 1, 1)
    assert set(await shop.outcomes(campaign.campaign_id)) == {0, second}


async def test_a_message_that_waits_for_another_try(shop: Shop) -> None:
    first, second = await shop.people(2)
    campaign = await shop.started([first, second])
    await shop.run_sender()
    await shop.sql("delete from delivery where org_id = %(org)s and contact_id = %(id)s", id=first)
    await shop.sql(
        "insert into send_retry (org_id, send_id, ordinal, recipient, attempt, due_at, reason)"
        " values (%(org)s, %(s)s, 0, %(id)s, 2, now() + interval '1 day', '<person-1@example.com> is full')",
        s=campaign.send_id,
        id=first,
    )
    await erase(shop, first)
    assert await shop.sql(
        "select recipient, reason, due_at <= now() from send_retry where org_id = %(org)s"
    ) == [(0, "", True)]


async def test_what_a_sender_that_had_them_in_hand_writes_later_is_swept(shop: Shop) -> None:
    (first,) = await shop.people(1)
    await erase(shop, first)
    await shop.sql(
        "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, at)"
        " values (%(org)s, now(), 1, 0, %(id)s, 'person-1@example.com', 'sent', now())",
        id=first,
    )
    assert await sweep(shop.db) == 0
    assert await sweep(shop.db, 0) == 1
    assert await shop.sql("select contact_id, address from delivery where org_id = %(org)s") == [(0, None)]
    assert await shop.sql("select 1 from erased_contact where org_id = %(org)s") == []
