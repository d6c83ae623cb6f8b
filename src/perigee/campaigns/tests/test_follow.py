"""Follow-ups: campaigns to people of an earlier campaign."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.campaigns import audience, manage
from perigee.campaigns.plan import FollowUp, Plan
from perigee.errors import Conflict, Invalid, NotFound
from perigee.testing.sending import Shop

NAMES = ("clicker", "opener", "reader_by_machine", "silent", "failed", "uncertain", "stopped", "dropped")
LINK = "https://shop.example.com/a"


async def history(shop: Shop) -> tuple[int, dict[str, int]]:
    """(campaign, name → contact): one person for everything that can become of somebody."""
    people = {name: await shop.person(f"{name}@example.com") for name in NAMES}
    campaign = await shop.started(list(people.values()))
    await shop.run_sender()
    for name, outcome, reason in (
        ("failed", "failed", "bad_mailbox"),
        ("uncertain", "uncertain", "answer_lost"),
        ("stopped", "dropped", "stopped"),
        ("dropped", "dropped", "unsubscribed"),
    ):
        await shop.sql(
            "update delivery set outcome = %(o)s, reason = %(r)s where org_id = %(org)s and contact_id = %(c)s",
            o=outcome, r=reason, c=people[name],
        )  # fmt: skip
    for name, status, detail, meta in (
        ("clicker", "READ", None, None),
        ("clicker", "CLICKED", LINK, None),
        ("opener", "READ", None, None),
        ("opener", "CLICKED", LINK, '{"machine": "scanner"}'),
        ("reader_by_machine", "READ", None, '{"machine": "prefetch"}'),
    ):
        await shop.sql(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail, meta)"
            " select org_id, now(), send_id, ordinal, contact_id, 'email', %(s)s, %(d)s, %(m)s::jsonb from delivery"
            " where org_id = %(org)s and contact_id = %(c)s",
            s=status, d=detail, m=meta, c=people[name],
        )  # fmt: skip
    return campaign.campaign_id, people


async def follow(shop: Shop, follow_up: FollowUp, include: list[int] | None = None, **more: Any) -> Any:
    return await shop.campaign(await shop.message(**more), include or [], plan=Plan(follow=follow_up))


async def chosen(shop: Shop, campaign_id: int) -> set[int]:
    launched = await shop.launch(campaign_id)
    assert launched.error is None
    rows = await shop.sql(
        "select unnest(recipients) from send_batch where org_id = %(org)s and send_id = %(s)s",
        s=launched.send_id,
    )
    return {row[0] for row in rows}


@pytest.mark.parametrize(
    ("who", "links", "names"),
    [
        ("opened", [], {"clicker", "opener"}),
        ("clicked", [], {"clicker"}),
        ("clicked", [LINK], {"clicker"}),
        ("clicked", ["https://shop.example.com/other"], set()),
        ("not_opened", [], {"silent", "reader_by_machine"}),
        ("opened_not_clicked", [], {"opener"}),
        ("failed", [], {"failed"}),
        ("not_sent", [], {"uncertain", "stopped"}),
    ],
)
async def test_people_are_chosen_by_what_became_of_them(
    shop: Shop, who: Any, links: list[str], names: set[str]
) -> None:
    campaign_id, people = await history(shop)
    made = await follow(shop, FollowUp(campaign_id, who, links))
    assert await chosen(shop, made.campaign_id) == {people[name] for name in names}


async def test_they_are_worked_out_at_launch_on_any_channel_and_narrowed_by_segments(shop: Shop) -> None:
    campaign_id, people = await history(shop)
    segment = await shop.segment("Some", [people["silent"], people["opener"]])
    made = await follow(shop, FollowUp(campaign_id, "not_opened"), [segment], channel="sms")
    async with shop.db.connection() as connection:
        counted = await audience.count_campaign(connection, shop.org_id, made, made.created_at)
    assert (counted.chosen, counted.dropped) == (1, {"no_address": 1})
    await shop.sql(
        "update contact set phone = '380501112233' where org_id = %(org)s and contact_id = %(c)s",
        c=people["silent"],
    )
    await shop.sql("insert into address (org_id, kind, value) values (%(org)s, 'phone', '380501112233')")
    assert await chosen(shop, made.campaign_id) == {people["silent"]}


async def test_who_is_followed_must_have_been_launched(shop: Shop) -> None:
    draft = await shop.campaign(await shop.message(), [await shop.segment("All", [])])
    made = await follow(shop, FollowUp(draft.campaign_id, "opened"))
    launched = await shop.launch(made.campaign_id)
    assert launched.state == "failed"
    assert "not launched" in str(launched.error)
    with pytest.raises(NotFound):
        await follow(shop, FollowUp(77, "opened"))
    with pytest.raises(Invalid, match="include"):
        await shop.campaign(await shop.message(), [])


async def test_the_rest_is_sent_to_once(shop: Shop) -> None:
    people = await shop.people(3)
    campaign = await shop.started(people)
    with pytest.raises(Conflict):
        await shop.act(manage.send_rest, campaign.campaign_id, now=campaign.created_at)
    await shop.act(manage.stop, campaign.campaign_id)
    rest = await shop.act(manage.send_rest, campaign.campaign_id, now=campaign.created_at)
    assert rest.state == "scheduled"
    again = await shop.act(manage.send_rest, campaign.campaign_id, now=campaign.created_at)
    assert again.campaign_id == rest.campaign_id
    await shop.launch_due()
    await shop.run_sender()
    assert (await shop.report(rest.campaign_id)).sent == 3


async def test_the_rest_of_a_campaign_to_devices_is_people(shop: Shop) -> None:
    """The ledger of a stopped campaign has the contacts of tokens, not the tokens."""
    people = [await shop.person(f"{n}@example.com") for n in range(3)]
    for number, contact in enumerate(people):
        await shop.sql(
            "insert into push_token (org_id, kind, token, contact_id) values (%(org)s, 'telegram', %(t)s, %(c)s)",
            t=str(number),
            c=contact,
        )
    campaign = await shop.started(people, channel="telegram", versions={"en": {"text": "Hello"}})
    await shop.act(manage.stop, campaign.campaign_id)
    assert await shop.outcomes(campaign.campaign_id) == dict.fromkeys(people, ("dropped", "stopped"))
    rest = await shop.act(manage.send_rest, campaign.campaign_id, now=campaign.created_at)
    await shop.launch_due()
    await shop.run_sender()
    assert (await shop.report(rest.campaign_id)).sent == 3
