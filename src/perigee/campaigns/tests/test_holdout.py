"""The holdout: people who get nothing, to see what sending is worth."""

from __future__ import annotations

from datetime import timedelta

from perigee.campaigns import audience
from perigee.campaigns.plan import Goal, Plan
from perigee.testing.sending import Shop


async def test_a_share_of_those_who_could_be_sent_to_is_left_out(shop: Shop) -> None:
    people = await shop.people(40)
    unsubscribed = await shop.person("left@example.com")
    await shop.mark("left@example.com", "unsubscribed_at")
    segment = await shop.segment("All", [*people, unsubscribed])
    campaign = await shop.campaign(await shop.message(), [segment], plan=Plan(holdout=10))
    async with shop.db.connection() as connection:
        counted = await audience.count_campaign(connection, shop.org_id, campaign, campaign.created_at)
    assert counted.dropped == {"holdout": 4, "unsubscribed": 1}
    await shop.launch(campaign.campaign_id)
    await shop.run_sender()
    held = [
        c for c, (_, reason) in (await shop.outcomes(campaign.campaign_id)).items() if reason == "holdout"
    ]
    assert len(held) == 4
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.dropped) == (36, counted.dropped)
    # The draw is the campaign's, not the moment's.
    again = await shop.campaign(await shop.message(), [segment], plan=Plan(holdout=10))
    await shop.launch(again.campaign_id)
    others = [c for c, (_, reason) in (await shop.outcomes(again.campaign_id)).items() if reason == "holdout"]
    assert set(others) != set(held)


async def test_the_report_compares_what_both_groups_did(shop: Shop) -> None:
    people = await shop.people(10)
    segment = await shop.segment("All", people)
    plan = Plan(holdout=50, goal=Goal(event="bought", days=2))
    campaign = await shop.campaign(await shop.message(), [segment], plan=plan)
    orders = await shop.campaign(await shop.message(), [segment], plan=Plan(holdout=50, goal=Goal()))
    for one in (campaign, orders):
        await shop.launch(one.campaign_id)
    await shop.run_sender()
    held = {
        c for c, (_, reason) in (await shop.outcomes(campaign.campaign_id)).items() if reason == "holdout"
    }
    got = [person for person in people if person not in held]
    await shop.sql("insert into event_type (org_id, key, name) values (%(org)s, 'bought', 'Bought')")
    for contact, after in ((got[0], 1), (got[0], 2), (got[1], 24), (min(held), 5), (got[2], 50)):
        await shop.sql(
            "insert into event (org_id, occurred_at, event_type_id, contact_id)"
            " select %(org)s, now() + %(a)s, event_type_id, %(c)s from event_type where org_id = %(org)s",
            a=timedelta(hours=after),
            c=contact,
        )
    report = await shop.report(campaign.campaign_id)
    assert report.groups is not None
    assert [(one.name, one.people, one.converted) for one in report.groups] == [
        ("sent", 5, 2),
        ("holdout", 5, 1),
    ]
    for number, status in enumerate(("DELIVERED", "CANCELLED")):
        await shop.sql(
            "insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at)"
            " values (%(org)s, %(n)s, %(c)s, %(s)s, 1, 'EUR', now())",
            n=str(number),
            c=people[number],
            s=status,
        )
    compared = (await shop.report(orders.campaign_id)).groups
    assert compared is not None
    assert sum(one.converted for one in compared) == 1
