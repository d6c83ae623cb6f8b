"""Whoever leaves while a campaign runs, and a slow server lags behind, is never mailed (reliability 3)."""

from __future__ import annotations

from perigee.messages.links import SignedLinks
from perigee.segments import categories
from perigee.testing.api import Api
from perigee.testing.sending import Shop, until
from perigee.testing.smtp_fixtures import StartServer

PEOPLE = 300
SENT_BEFORE = 10
LEAVERS = range(PEOPLE - 40, PEOPLE)
"""By their place in the audience: far behind the window that is under way."""


async def test_whoever_leaves_a_running_campaign_is_never_mailed(
    api: Api, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(delay=0.003)
    shop = Shop(api.db, api.org_id)
    await shop.use_smtp(server, connections=1)
    people = await shop.people(PEOPLE)
    async with api.db.transaction() as connection:
        news = await categories.create(connection, api.org_id, "News", "news")
    await shop.sql(
        "insert into segment_member (org_id, segment_id, contact_id) select %(org)s, %(s)s, unnest(%(m)s::bigint[])",
        s=news.segment_id,
        m=people,
    )
    campaign = await shop.started(people, categories=["news"])
    assert campaign.send_id is not None
    links = SignedLinks(shop.keys.links, "", api.org_id, campaign.send_id)

    async def some_sent() -> bool:
        return len(server.accepted) >= SENT_BEFORE

    async with shop.sending():
        await until(some_sent)
        for place in LEAVERS:
            contact_id = people[place]
            match place % 4:
                case 0:
                    answer = await api.call("POST", links.of(place, contact_id).one_click(), key="")
                    assert answer.status_code == 200
                case 1:
                    await api.put(f"/api/v1/contact/{contact_id}/subscriptions", {"subscriptions": []})
                case 2:
                    await shop.mark(f"person-{place + 1}@example.com", "complained_at")
                case _:
                    await shop.mark(f"person-{place + 1}@example.com", "blacklisted_at")
        assert len(server.accepted) < LEAVERS[0], "the campaign was still under way"
        await until(shop.idle)
    left = {f"person-{place + 1}@example.com" for place in LEAVERS}
    assert not left & set(server.recipients)
    report = await shop.report(campaign.campaign_id)
    assert report.sent == PEOPLE - len(LEAVERS)
    assert report.dropped == {"unsubscribed": 10, "category": 10, "complained": 10, "blacklisted": 10}
