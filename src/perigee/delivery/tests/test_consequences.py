"""What a provider's answer means beyond its own message."""

from __future__ import annotations

import pytest

from perigee.campaigns import manage
from perigee.delivery import consequences
from perigee.testing.sending import Shop
from perigee.testing.smtp_faults import Rule
from perigee.testing.smtp_fixtures import StartServer


async def test_a_dead_mailbox_fails_and_is_blacklisted(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(answers={"person-2@": "550 5.1.1 no such user here"})
    await shop.use_smtp(server)
    people = await shop.people(3)
    campaign = await shop.started(people)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.failed) == ("finished", 2, {"no_such_recipient": 1})
    assert await shop.sql(
        "select value, blacklist_reason from address where org_id = %(org)s and blacklisted_at is not null"
    ) == [("person-2@example.com", "5.1.1 no such user here")]
    assert await shop.sql(
        "select value, action, source, send_id from consent_log where org_id = %(org)s"
    ) == [("person-2@example.com", "blacklisted", "provider", campaign.send_id)]
    text = await shop.value(
        "select provider_text from delivery where org_id = %(org)s and outcome = 'failed'"
    )
    assert text == "550 5.1.1 no such user here"
    again = await shop.started(people)
    assert (await shop.report(again.campaign_id)).dropped == {"blacklisted": 1}


async def test_a_full_mailbox_rests_for_days(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(answers={"person-1@": "552 5.2.2 mailbox full"})
    await shop.use_smtp(server)
    people = await shop.people(2)
    for days, soft in ((1, 1), (2, 2), (3, 3), (90, 4)):
        await shop.sql("update address set blocked_until = null where org_id = %(org)s")
        await shop.started(people)
        await shop.run_sender()
        assert await shop.sql(
            "select round(extract(epoch from blocked_until - now()) / 86400)::int, soft_bounces, blacklisted_at"
            " from address where org_id = %(org)s and value = 'person-1@example.com'"
        ) == [(days, soft, None)]
        assert await shop.sql(
            "select reason from delivery where org_id = %(org)s and outcome = 'failed' order by at desc limit 1"
        ) == [("mailbox_full",)]


@pytest.mark.parametrize("fault", ["greeting:permanent", "greeting:drop"])
async def test_a_provider_in_trouble_rests_and_nobody_is_lost(
    shop: Shop, start_smtp_server: StartServer, fault: str
) -> None:
    server = await start_smtp_server(faults=[Rule.parse(fault)])
    provider = await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(100))
    async with shop.sending() as (sender,):

        async def resting() -> bool:
            return sender.resting.wait(shop.org_id, provider) > 0 and await shop.idle()

        from perigee.testing.sending import until

        await until(resting)
    waiting = await shop.report(campaign.campaign_id)
    assert (waiting.state, waiting.sent, waiting.waiting, waiting.failed) == ("running", 0, 100, {})
    server.script.rules = []
    await shop.sql("update send_batch set due_at = now() where org_id = %(org)s")
    await shop.retry_now()
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent) == ("finished", 100)
    assert len(server.recipients) == len(set(server.recipients)) == 100


async def test_a_message_that_is_refused_again_and_again_pauses_itself(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(answers={"@": "555 5.5.4 this makes no sense"})
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(300))
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert report.state == "paused"
    assert consequences.STOP_AFTER <= report.failed["bad_message"] < 300
    found = await shop.get(campaign.campaign_id)
    assert "this makes no sense" in str(found.error)
    assert "this makes no sense" in str((await shop.progress(campaign.campaign_id)).error)
    assert (
        await shop.value("select count(*) from address where org_id = %(org)s and blacklisted_at is not null")
        == 0
    )
    server.answers = {}
    await shop.act(manage.resume, campaign.campaign_id)
    assert (await shop.get(campaign.campaign_id)).error is None
    await shop.run_sender()
    done = await shop.report(campaign.campaign_id)
    assert (done.state, done.sent + sum(done.failed.values())) == ("finished", 300)


async def test_one_odd_receiver_does_not_stop_a_campaign(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(answers={"@odd": "555 5.5.4 this makes no sense"})
    await shop.use_smtp(server)
    usual = await shop.people(400)
    campaign = await shop.started(
        [*usual, *await shop.people(consequences.STOP_AFTER + 2, "odd.example.com")]
    )
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent) == ("finished", 400)
    assert report.failed == {"bad_message": consequences.STOP_AFTER + 2}


async def test_a_provider_that_cannot_be_opened_pauses_its_send_only(shop: Shop) -> None:
    first = await shop.started(await shop.people(3))
    await shop.sql("update send set provider_id = 404 where org_id = %(org)s")
    second = await shop.started([await shop.person("two@example.com")])
    await shop.run_sender()
    found = await shop.get(first.campaign_id)
    assert found.state == "paused"
    assert "provider 404" in str(found.error)
    assert (await shop.report(first.campaign_id)).waiting == 3
    assert (await shop.report(second.campaign_id)).state == "finished"
