"""What the other side wants to see again later."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery import retry
from perigee.testing.sending import Shop
from perigee.testing.smtp_faults import Rule
from perigee.testing.smtp_fixtures import StartServer

DAY = 86_400.0


async def test_a_temporary_refusal_waits_and_is_sent(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule.parse(r"rcpt:temporary:person-[1-3]@")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(10))
    await shop.run_sender()
    waiting = await shop.report(campaign.campaign_id)
    assert (waiting.state, waiting.sent, waiting.waiting) == ("running", 7, 3)
    waits = await shop.sql(
        "select attempt, extract(epoch from due_at - now())::int from send_retry where org_id = %(org)s"
    )
    assert [attempt for attempt, _ in waits] == [2, 2, 2]
    assert all(retry.FIRST * 0.7 < seconds <= retry.FIRST * 1.2 for _, seconds in waits)
    await shop.run_sender()
    assert len(server.accepted) == 7, "not before its time"

    server.script.rules = []
    await shop.retry_now()
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("finished", 10, 0)
    assert sorted(server.recipients) == sorted(f"person-{n}@example.com" for n in range(1, 11))
    assert await shop.value("select count(*) from delivery where org_id = %(org)s and attempt = 2") == 3


async def test_somebody_who_unsubscribes_while_waiting_is_dropped(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(faults=[Rule.parse("rcpt:temporary")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(2))
    await shop.run_sender()
    await shop.mark("person-1@example.com", "unsubscribed_at")
    server.script.rules = []
    await shop.retry_now()
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.dropped) == ("finished", 1, {"unsubscribed": 1})
    assert server.recipients == ["person-2@example.com"]


async def test_it_is_given_up_in_the_end(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule.parse("rcpt:temporary")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(2))
    await shop.run_sender()
    await shop.sql("update send_retry set first_at = first_at - interval '6 days' where org_id = %(org)s")
    await shop.retry_now()
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.failed) == ("finished", {"expired": 2})


async def test_patience_counts_from_the_first_attempt_however_late_its_turn_came(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    server = await start_smtp_server(faults=[Rule.parse("rcpt:temporary")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(2))
    # The ledger's partition key is the start of the send, so the whole send becomes older.
    await shop.sql("update send set started_at = started_at - interval '6 days' where org_id = %(org)s")
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).waiting == 2, "their first refusal is no end"
    first = await shop.sql("select first_at from send_retry where org_id = %(org)s order by ordinal")
    await shop.retry_now()
    await shop.run_sender()
    again = await shop.sql("select first_at, attempt from send_retry where org_id = %(org)s order by ordinal")
    assert [attempt for _, attempt in again] == [3, 3]
    assert again[0][0] == again[1][0] == min(first)[0], "the first one, to the batch"


async def test_the_wait_of_a_paused_send_goes_on_after_it(shop: Shop, start_smtp_server: StartServer) -> None:
    from perigee.campaigns import manage

    server = await start_smtp_server(faults=[Rule.parse("rcpt:temporary")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(2))
    await shop.run_sender()
    await shop.act(manage.pause, campaign.campaign_id)
    await shop.retry_now()
    assert (await shop.progress(campaign.campaign_id)).retrying == 2, "nothing moves while it is paused"


@given(st.integers(1, 10_000), st.booleans(), st.none() | st.floats(0, 1e5), st.floats(0, 1))
def test_waits_are_bounded(attempt: int, counted: bool, asked: float | None, jitter: float) -> None:
    seconds = retry.wait(attempt, counted=counted, asked=asked, jitter=jitter)
    assert seconds >= 0.7999 * max(asked if asked is not None else retry.SOON, 1.0)
    assert seconds <= 1.2001 * max(retry.LONGEST, asked or 0)


def test_waits_grow() -> None:
    waits = [retry.wait(n, counted=True, asked=None, jitter=0.5) for n in range(1, 7)]
    assert waits == [300, 600, 1200, 2400, 3960, 3960]
    assert retry.wait(9, counted=False, asked=None, jitter=0.5) == retry.SOON


def test_marketing_waits_days_and_transactional_mail_an_hour() -> None:
    assert not retry.is_over(4 * DAY, marketing=True)
    assert retry.is_over(6 * DAY, marketing=True)
    assert retry.is_over(3_700, marketing=False)
    assert not retry.is_over(3_500, marketing=False)
