"""Whoever has muted the bot gets no campaigns (contract 22.4, 19.1)."""

from __future__ import annotations

import pytest

from perigee.db.pool import Database
from perigee.delivery.suppression import Drop
from perigee.testing.sending import Shop, make_shop


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)


async def person(shop: Shop, token: str, muted_until: str) -> int:
    contact_id = await shop.person()
    await shop.sql(
        "insert into push_token (org_id, kind, token, contact_id, muted_until)"
        f" values (%(org)s, 'telegram', %(t)s, %(c)s, {muted_until})",
        t=token,
        c=contact_id,
    )
    return contact_id


async def test_a_campaign_drops_the_muted_with_that_reason(shop: Shop) -> None:
    never = await person(shop, "1", "null")
    over = await person(shop, "2", "now() - interval '1 second'")
    hour = await person(shop, "3", "now() + interval '1 hour'")
    ever = await person(shop, "4", "'9999-12-31 23:59:59+00'")
    campaign = await shop.started(
        [never, over, hour, ever], channel="telegram", versions={"en": {"text": "Hello"}}
    )
    await shop.run_sender()
    assert await shop.outcomes(campaign.campaign_id) == {
        never: ("sent", None),
        over: ("sent", None),
        hour: ("dropped", Drop.MUTED),
        ever: ("dropped", Drop.MUTED),
    }


async def test_who_mutes_after_the_launch_is_dropped_too(shop: Shop) -> None:
    one = await person(shop, "1", "null")
    campaign = await shop.started([one], channel="telegram", versions={"en": {"text": "Hello"}})
    await shop.sql("update push_token set muted_until = now() + interval '1 hour' where org_id = %(org)s")
    await shop.run_sender()
    assert await shop.outcomes(campaign.campaign_id) == {one: ("dropped", Drop.MUTED)}


async def test_a_person_with_another_chat_still_gets_it_there(shop: Shop) -> None:
    one = await person(shop, "1", "now() + interval '1 hour'")
    await shop.sql(
        "insert into push_token (org_id, kind, token, contact_id) values (%(org)s, 'telegram', '2', %(c)s)",
        c=one,
    )
    await shop.started([one], channel="telegram", versions={"en": {"text": "Hello"}})
    await shop.run_sender()
    assert await shop.sql("select address from sandbox_message where org_id = %(org)s") == [("2",)]


async def test_what_people_asked_for_themselves_reaches_the_muted(shop: Shop) -> None:
    """A single send is judged without the campaign's rule."""
    one = await person(shop, "1", "now() + interval '1 hour'")
    two = await person(shop, "2", "null")
    await shop.started([one, two], channel="telegram", versions={"en": {"text": "Your code"}})
    await shop.sql("update send set kind = 'single', marketing = false where org_id = %(org)s")
    await shop.sql("update send_batch set lane = 0 where org_id = %(org)s")
    await shop.sql("update push_token set muted_until = now() + interval '1 hour' where org_id = %(org)s")
    await shop.run_sender()
    assert await shop.sql("select address from sandbox_message where org_id = %(org)s") == [("2",)]
