"""Who holds a batch, and what is done with what a dead holder left."""

from __future__ import annotations

import uuid

from perigee.delivery import lease
from perigee.delivery.lease import Entry, Lane, Lease, Window
from perigee.testing.sending import Shop

ONE, TWO = uuid.UUID(int=1), uuid.UUID(int=2)


async def claim(shop: Shop, owner: uuid.UUID, lane: Lane = Lane.CAMPAIGN) -> Lease:
    found = await lease.claim(shop.db, owner, 30, lane)
    assert found is not None
    return found


async def commit(shop: Shop, held: Lease, window: Window) -> str | None:
    window.number = await shop.value(
        "select windows from send_batch where org_id = %(org)s and send_id = %(s)s and batch_no = %(b)s",
        s=held.send_id,
        b=held.batch_no,
    )
    async with shop.db.connection() as connection:
        return await lease.commit(connection, held, window, 30)


async def expire(shop: Shop) -> None:
    await shop.sql("update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s")


async def test_a_batch_has_one_holder(shop: Shop) -> None:
    await shop.started(await shop.people(4), batch_size=2)
    first, second = await claim(shop, ONE), await claim(shop, TWO)
    assert (first.batch_no, second.batch_no) == (0, 1)
    assert await lease.claim(shop.db, TWO, 30, Lane.CAMPAIGN) is None
    await expire(shop)
    again = await claim(shop, TWO)
    assert (again.batch_no, again.epoch) == (0, first.epoch + 1)


async def test_a_channel_without_a_provider_awake_is_passed_over(shop: Shop) -> None:
    await shop.started(await shop.people(2))
    stalled = [(shop.org_id, "email")]
    assert await lease.claim(shop.db, ONE, 30, Lane.CAMPAIGN, stalled=stalled) is None
    stalled = [(shop.org_id, "sms"), (shop.org_id + 1, "email")]
    assert await lease.claim(shop.db, ONE, 30, Lane.CAMPAIGN, stalled=stalled) is not None


async def test_a_given_back_batch_goes_on_where_it_was(shop: Shop) -> None:
    campaign = await shop.started(await shop.people(3))
    held = await claim(shop, ONE)
    window = Window(
        entries=[Entry(held.ordinals[0], held.recipients[0], "a@example.com", "sent")], position=1
    )
    assert await commit(shop, held, window) == "running"
    await lease.release(shop.db, held)
    again = await claim(shop, TWO)
    assert again.position == 1
    assert (await shop.report(campaign.campaign_id)).sent == 1


async def test_a_stale_holder_writes_nothing(shop: Shop) -> None:
    campaign = await shop.started(await shop.people(3))
    stale = await claim(shop, ONE)
    await expire(shop)
    await claim(shop, TWO)
    window = Window(
        entries=[Entry(stale.ordinals[0], stale.recipients[0], "a@example.com", "sent")],
        retries=[lease.Retry(stale.ordinals[1], stale.recipients[1], 2, 0.0, "greylisted")],
        position=2,
    )
    assert await commit(shop, stale, window) is None
    await lease.release(shop.db, stale)
    assert await shop.value("select owner from send_batch where org_id = %(org)s") == TWO
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.waiting) == (0, 3)
    assert await shop.value("select count(*) from send_retry where org_id = %(org)s") == 0


async def test_what_a_dead_holder_left_in_flight_is_uncertain(shop: Shop) -> None:
    people = await shop.people(4)
    campaign = await shop.started(people)
    held = await claim(shop, ONE)
    assert await commit(shop, held, Window(position=3, in_flight=[0, 1, 2])) == "running"
    window = Window(
        entries=[Entry(held.ordinals[1], held.recipients[1], "a@example.com", "sent")],
        position=3,
        in_flight=[0, 2],
    )
    assert await commit(shop, held, window) == "running"
    await expire(shop)
    again = await claim(shop, TWO)
    assert (again.position, again.in_flight) == (3, [0, 2])
    assert (await shop.progress(campaign.campaign_id)).in_flight == 0
    await lease.release(shop.db, again)
    await shop.run_sender()
    assert await shop.outcomes(campaign.campaign_id) == {
        people[0]: ("uncertain", "answer_lost"),
        people[1]: ("sent", None),
        people[2]: ("uncertain", "answer_lost"),
        people[3]: ("sent", None),
    }
    assert (await shop.report(campaign.campaign_id)).state == "finished"


async def test_transactional_mail_in_flight_is_brought_again_with_its_data_and_id(shop: Shop) -> None:
    people = await shop.people(2)
    await shop.started(people, versions={"en": {"subject": "Order {{ number }}"}})
    await shop.sql("update send set marketing = false, kind = 'single' where org_id = %(org)s")
    await shop.sql("update send_batch set lane = 0 where org_id = %(org)s")
    await shop.sql(
        "insert into send_recipient (org_id, send_id, ordinal, contact_id, data)"
        " select s.org_id, s.send_id, g.n, g.c, g.d::jsonb from send s,"
        " unnest(array[0, 1], %(people)s::bigint[], %(data)s::text[]) as g (n, c, d) where s.org_id = %(org)s",
        people=people,
        data=['{"number": "A1"}', '{"number": "B2"}'],
    )
    held = await claim(shop, ONE, Lane.SINGLE)
    assert await commit(shop, held, Window(position=1, in_flight=[0])) == "running"
    await expire(shop)
    await lease.release(shop.db, await claim(shop, TWO, Lane.SINGLE))
    assert await shop.sql("select ordinal, recipient, attempt from send_retry where org_id = %(org)s") == [
        (0, people[0], 1)
    ]
    await shop.run_sender()
    await shop.retry_now()
    await shop.run_sender()
    rows = await shop.sql("select ordinal, body from sandbox_message where org_id = %(org)s order by ordinal")
    assert [ordinal for ordinal, _ in rows] == [0, 1]
    assert b"Order A1" in rows[0][1]
    assert b"Order B2" in rows[1][1]


async def test_a_paused_send_takes_no_new_intent(shop: Shop) -> None:
    await shop.started(await shop.people(3))
    held = await claim(shop, ONE)
    await shop.sql("update send set state = 'paused' where org_id = %(org)s")
    assert await commit(shop, held, Window(position=2, in_flight=[0, 1])) == "paused"
    assert await shop.sql("select position, in_flight from send_batch where org_id = %(org)s") == [(0, [])]
    await lease.release(shop.db, held)
    assert await lease.claim(shop.db, TWO, 30, Lane.CAMPAIGN) is None
