"""Whose turn it is: campaigns and organisations share the senders, single messages have a lane of their own."""

from __future__ import annotations

import uuid
from collections import Counter

from perigee.delivery import lease
from perigee.delivery.lease import Lane, Lease
from perigee.delivery.sender import KEPT
from perigee.testing.sending import SETTINGS, Shop, make_shop

ONE = uuid.UUID(int=1)


async def claims(
    shop: Shop, count: int, lane: Lane = Lane.CAMPAIGN, served: list[int] | None = None
) -> list[Lease]:
    found = []
    for _ in range(count):
        held = await lease.claim(shop.db, ONE, 30, lane, served=served or [])
        assert held is not None
        if served is not None:
            served[:] = [*[one for one in served if one != held.org_id], held.org_id]
        found.append(held)
    return found


async def single(shop: Shop, people: list[int]) -> None:
    """What is waiting becomes messages of calls, each a batch."""
    await shop.started(people, batch_size=10)
    await shop.sql("update send set kind = 'single' where org_id = %(org)s")
    await shop.sql("update send_batch set lane = 0 where org_id = %(org)s")


async def test_ten_campaigns_progress_together(shop: Shop) -> None:
    people = await shop.people(60)
    sends = [(await shop.started(people, batch_size=10)).send_id for _ in range(10)]
    for _ in range(6):
        assert {held.send_id for held in await claims(shop, 10)} == set(sends)


async def test_a_small_campaign_does_not_wait_for_a_huge_one(shop: Shop) -> None:
    people = await shop.people(300)
    await shop.started(people, batch_size=10)
    await claims(shop, 5)
    small = await shop.started(people[:5])
    assert (await claims(shop, 1))[0].send_id == small.send_id


async def test_organisations_take_turns_however_many_campaigns_they_have(shop: Shop) -> None:
    other = await make_shop(shop.db, "Other Shop")
    many, one = await shop.people(40), await other.people(40, "other.example.com")
    for _ in range(5):
        await shop.started(many, batch_size=10)
    await other.started(one, batch_size=10)
    assert Counter(held.org_id for held in await claims(shop, 8)) == {shop.org_id: 4, other.org_id: 4}


async def test_organisations_take_turns_in_the_lane_of_single_messages_too(shop: Shop) -> None:
    other = await make_shop(shop.db, "Other Shop")
    await single(shop, await shop.people(100))
    await single(other, await other.people(10, "other.example.com"))
    found = await claims(shop, 3, Lane.SINGLE, served=[])
    assert Counter(held.org_id for held in found) == {shop.org_id: 2, other.org_id: 1}
    assert await lease.claim(shop.db, ONE, 30, Lane.CAMPAIGN) is None, "they are no campaign's"


async def test_a_campaign_leaves_room_for_single_messages(shop: Shop) -> None:
    sender = shop.sender()
    assert sender.free_for(Lane.SINGLE) == SETTINGS.window_size
    assert sender.free_for(Lane.CAMPAIGN) == SETTINGS.window_size - SETTINGS.window_size // KEPT
    sender.free = SETTINGS.window_size // KEPT
    assert (sender.free_for(Lane.SINGLE), sender.free_for(Lane.CAMPAIGN)) == (SETTINGS.window_size // KEPT, 0)
    await sender.channels.close()


async def test_the_next_batch_is_found_by_an_index(shop: Shop) -> None:
    """With ten thousand batches waiting."""
    people = await shop.people(1)
    await shop.started(people)
    await shop.sql(
        "insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, lane)"
        " select org_id, send_id, n, recipients, ordinals, n %% 2 from send_batch, generate_series(1, 10000) n"
        " where org_id = %(org)s"
    )
    await shop.sql("analyze send_batch")
    values = {"owner": ONE, "lease": 30, "stalled_orgs": [], "stalled_channels": [], "served": []}
    for query, index in (
        (lease.q.claim_campaign_batch, "send_batch_turn"),
        (lease.q.claim_single_batch, "send_batch_lane"),
    ):
        plan = "\n".join(row[0] for row in await shop.sql("explain " + query, **values))
        assert index in plan
        assert "Seq Scan on send_batch" not in plan
