"""A campaign that many complain about, or that goes to many dead addresses, pauses itself."""

from __future__ import annotations

import dataclasses

from perigee.bounces.tests.samples import arf, dsn
from perigee.bounces.tests.test_coming_back import come, token_of
from perigee.campaigns import manage
from perigee.testing.sending import Shop
from perigee.testing.smtp_fixtures import StartServer
from perigee.testing.smtp_server import SmtpServer

DEAD = {"@dead": "550 5.1.1 no such user"}


async def test_dead_addresses_pause_a_campaign_until_a_person_has_looked(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    await shop.use_smtp(await start_smtp_server(answers=DEAD))
    people = [*await shop.people(12, "dead.example.com"), *await shop.people(288)]
    campaign = await shop.started(people, batch_size=50)
    await shop.run_sender()
    found = await shop.get(campaign.campaign_id)
    assert found.state == "paused"
    assert "of the first 300 addresses are dead" in str(found.error)
    assert "the limit is 2%" in str(found.error)
    await shop.act(manage.resume, campaign.campaign_id)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.failed) == ("finished", 288, {"no_such_recipient": 12})


async def test_a_small_share_of_dead_addresses_pauses_nothing(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    await shop.use_smtp(await start_smtp_server(answers=DEAD))
    people = [*await shop.people(9, "dead.example.com"), *await shop.people(100)]
    campaign = await shop.started(people)
    await shop.run_sender()
    assert (await shop.get(campaign.campaign_id)).state == "finished"


async def test_the_brake_can_be_switched_off(shop: Shop, start_smtp_server: StartServer) -> None:
    shop.settings = dataclasses.replace(shop.settings, campaign_brake="off")
    await shop.use_smtp(await start_smtp_server(answers=DEAD))
    campaign = await shop.started(await shop.people(20, "dead.example.com"))
    await shop.run_sender()
    assert (await shop.get(campaign.campaign_id)).state == "finished"


async def test_bounces_and_complaints_that_come_later_pause_what_still_runs(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await shop.use_smtp(smtp_server)
    for reports, word in ((dsn, "dead"), (arf, "complaints")):
        campaign = await shop.started(await shop.people(12, f"{word}.example.com"))
        await shop.run_sender()
        await shop.sql("update send set state = 'running' where org_id = %(org)s")
        names = [f"{await token_of(shop, f'person-{n}@{word}.example.com')}@x" for n in range(1, 11)]
        await come(shop, *[reports(name) for name in names[:9]])
        assert (await shop.get(campaign.campaign_id)).state != "paused"
        await come(shop, reports(names[9]))
        found = await shop.get(campaign.campaign_id)
        assert (found.state, word in str(found.error)) == ("paused", True)
