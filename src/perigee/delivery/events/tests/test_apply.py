"""Reports take effect, each once, whenever they come."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.campaigns.types import Campaign
from perigee.db.pool import Database
from perigee.delivery import lease
from perigee.delivery.channel import EventType, Reason
from perigee.delivery.events import Fate, Report, apply, waiting
from perigee.delivery.lease import Entry, Lease, Window
from perigee.testing.sending import Shop, make_shop

NOW = datetime.now(UTC)
PROVIDER = 77


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)


class Sent:
    """An SMS campaign whose messages have names of the provider's: `m-<ordinal>`, or as given."""

    def __init__(self, shop: Shop, campaign: Campaign, held: Lease, window: Window) -> None:
        self.shop, self.campaign, self.held, self.window = shop, campaign, held, window
        self.send_id = held.send_id

    async def commit(self) -> None:
        async with self.shop.db.transaction() as connection:
            assert await lease.commit(connection, self.held, self.window, 30) == "running"

    async def report(self, *reports: Report) -> list[Fate]:
        async with self.shop.db.transaction() as connection:
            return await apply(connection, self.shop.org_id, reports)

    async def statuses(self) -> list[tuple[int, str, str | None]]:
        return await self.shop.sql(
            "select ordinal, status, detail from activity where org_id = %(org)s and send_id = %(s)s"
            " order by ordinal, activity_id",
            s=self.send_id,
        )

    async def address(self, ordinal: int, column: str) -> Any:
        return await self.shop.value(
            f"select {column} from address where org_id = %(org)s and value = %(v)s", v=phone(ordinal)
        )


def phone(ordinal: int) -> str:
    return f"38050000000{ordinal}"


def by_name(type_: EventType, name: str, **more: Any) -> Report:
    return Report(type=type_, at=NOW, provider_id=PROVIDER, message_id=name, **more)


async def sent(
    shop: Shop, outcomes: Sequence[str], *, names: Sequence[tuple[str, ...]] = (), reports: bool = True
) -> Sent:
    people = [await shop.person(phone=phone(ordinal)) for ordinal in range(len(outcomes))]
    campaign = await shop.started(people, channel="sms")
    held = await lease.claim(shop.db, uuid.uuid4(), 30, lease.Lane.CAMPAIGN)
    assert held is not None
    entries = [
        Entry(
            ordinal,
            held.recipients[ordinal],
            phone(ordinal),
            outcome,
            None if outcome == "sent" else "answer_lost",
            provider_ids=(names[ordinal] if names else (f"m-{ordinal}",)) if outcome == "sent" else (),
        )
        for ordinal, outcome in enumerate(outcomes)
    ]
    size = len(outcomes)
    window = Window(
        entries, position=size, still_position=size, done=True, provider_id=PROVIDER, reports=reports
    )
    return Sent(shop, campaign, held, window)


async def test_a_provider_that_reports_is_believed_when_it_does(shop: Shop) -> None:
    it = await sent(shop, ["sent", "sent"])
    await it.commit()
    assert await it.statuses() == [(0, "SENT", None), (1, "SENT", None)]
    assert await it.report(
        by_name(EventType.DELIVERED, "m-0"),
        by_name(EventType.BOUNCED, "m-1", reason=Reason.NO_SUCH_RECIPIENT, text="unknown subscriber"),
    ) == [Fate.APPLIED, Fate.APPLIED]
    assert await it.statuses() == [
        (0, "SENT", None),
        (0, "DELIVERED", None),
        (1, "SENT", None),
        (1, "UNDELIVERED", "unknown subscriber"),
    ]
    assert await it.address(1, "blacklist_reason") == "unknown subscriber"
    assert await it.address(0, "blacklisted_at") is None


async def test_the_same_report_again_changes_nothing(shop: Shop) -> None:
    it = await sent(shop, ["sent"])
    await it.commit()
    full = by_name(EventType.BOUNCED, "m-0", reason=Reason.MAILBOX_FULL)
    assert await it.report(full, full) == [Fate.APPLIED, Fate.KNOWN]
    assert await it.report(full) == [Fate.KNOWN]
    assert len(await it.statuses()) == 2
    assert await it.address(0, "soft_bounces") == 1


async def test_clicks_are_told_apart_by_the_providers_id_of_the_event(shop: Shop) -> None:
    it = await sent(shop, ["sent"])
    await it.commit()
    click = by_name(EventType.CLICKED, "m-0", event_id="e1", text="https://shop.example.com")
    other = by_name(EventType.CLICKED, "m-0", event_id="e2")
    assert await it.report(click, other, click) == [Fate.APPLIED, Fate.APPLIED, Fate.KNOWN]
    assert [row[1] for row in await it.statuses()] == ["SENT", "CLICKED", "CLICKED"]


async def test_a_delivery_that_counted_on_acceptance_is_not_counted_twice(shop: Shop) -> None:
    it = await sent(shop, ["sent"], reports=False)
    await it.commit()
    await it.report(by_name(EventType.DELIVERED, "m-0"))
    assert await it.statuses() == [(0, "DELIVERED", None)]


async def test_a_report_before_the_window_is_committed_waits_for_it(shop: Shop) -> None:
    it = await sent(shop, ["sent", "sent"])
    early = by_name(EventType.DELIVERED, "m-0")
    named = Report(type=EventType.DELIVERED, at=NOW, send_id=it.send_id, ordinal=1)
    assert await it.report(early, named) == [Fate.WAITS, Fate.WAITS]
    assert await waiting.match(shop.db) == 0
    await it.commit()
    assert await waiting.match(shop.db) == 2
    assert [row[:2] for row in await it.statuses()] == [
        (0, "SENT"),
        (0, "DELIVERED"),
        (1, "SENT"),
        (1, "DELIVERED"),
    ]
    assert await shop.value("select count(*) from waiting_report where org_id = %(org)s") == 0


async def test_what_waited_a_day_is_forgotten(shop: Shop) -> None:
    it = await sent(shop, ["sent"])
    await it.report(by_name(EventType.DELIVERED, "nobody's"), by_name(EventType.DELIVERED, "young"))
    await shop.sql(
        "update waiting_report set received_at = now() - interval '25 hours' where message_id = 'nobody''s'"
    )
    async with shop.db.transaction() as connection:
        await waiting.prune(connection)
    assert await shop.value("select message_id from waiting_report where org_id = %(org)s") == "young"


async def test_a_long_message_is_delivered_with_its_last_part(shop: Shop) -> None:
    it = await sent(shop, ["sent"], names=[("a", "b", "c")])
    await it.commit()
    assert await it.report(by_name(EventType.DELIVERED, "a")) == [Fate.KNOWN]
    assert await it.report(by_name(EventType.DELIVERED, "a")) == [Fate.KNOWN]
    assert await it.report(by_name(EventType.DELIVERED, "b")) == [Fate.KNOWN]
    assert [row[1] for row in await it.statuses()] == ["SENT"]
    assert await it.report(by_name(EventType.DELIVERED, "c")) == [Fate.APPLIED]
    assert [row[1] for row in await it.statuses()] == ["SENT", "DELIVERED"]


async def test_a_long_message_fails_with_its_first_part(shop: Shop) -> None:
    it = await sent(shop, ["sent"], names=[("a", "b")])
    await it.commit()
    await it.report(by_name(EventType.BOUNCED, "a", text="no"), by_name(EventType.BOUNCED, "b", text="no"))
    assert await it.statuses() == [(0, "SENT", None), (0, "UNDELIVERED", "no")]


async def test_reports_resolve_what_was_uncertain_and_the_books_add_up(shop: Shop) -> None:
    it = await sent(shop, ["uncertain", "uncertain", "uncertain", "uncertain"])
    await it.commit()
    proofs = [EventType.DELIVERED, EventType.BOUNCED, EventType.ACCEPTED, EventType.DELAYED]
    await it.report(
        *(
            Report(type=type_, at=NOW, send_id=it.send_id, ordinal=ordinal, text="words")
            for ordinal, type_ in enumerate(proofs)
        )
    )
    outcomes = await shop.outcomes(it.campaign.campaign_id)
    assert [outcomes[contact] for contact in it.held.recipients] == [
        ("sent", None),
        ("failed", "unclassified"),
        ("sent", None),
        ("uncertain", "answer_lost"),
    ]
    found = await shop.report(it.campaign.campaign_id)
    assert (found.sent, sum(found.failed.values()), found.uncertain, found.waiting) == (2, 1, 1, 0)
    assert await it.statuses() == [(0, "DELIVERED", None), (1, "UNDELIVERED", "words"), (2, "SENT", None)]


async def test_a_message_that_a_dead_sender_left_is_held_and_resolved(shop: Shop) -> None:
    """Of SMS, transactional or not, nothing is sent again before a report says what became of it."""
    people = [await shop.person(phone=phone(0))]
    campaign = await shop.started(people, channel="sms")
    await shop.sql("update send set marketing = false where org_id = %(org)s")
    held = await lease.claim(shop.db, uuid.uuid4(), 30, lease.Lane.CAMPAIGN)
    assert held is not None
    async with shop.db.transaction() as connection:
        await lease.commit(connection, held, Window(position=1, in_flight=[0]), 30)
        early = Report(
            type=EventType.BOUNCED, at=NOW, send_id=held.send_id, ordinal=0, reason=Reason.INACTIVE
        )
        assert await apply(connection, shop.org_id, [early]) == [Fate.WAITS]
    await shop.sql("update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s")
    assert await lease.claim(shop.db, uuid.uuid4(), 30, lease.Lane.CAMPAIGN) is not None
    assert await shop.outcomes(campaign.campaign_id) == {people[0]: ("uncertain", "answer_lost")}
    assert await waiting.match(shop.db) == 1
    assert await shop.outcomes(campaign.campaign_id) == {people[0]: ("failed", "inactive")}
    assert await shop.value("select blacklist_reason from address where org_id = %(org)s") == "inactive"


async def test_complaints_and_unsubscriptions_mark_the_address_once(shop: Shop) -> None:
    it = await sent(shop, ["sent", "sent"])
    await it.commit()
    wishes = [by_name(EventType.COMPLAINED, "m-0", text="abuse"), by_name(EventType.UNSUBSCRIBED, "m-1")]
    await it.report(*wishes)
    await it.report(*wishes)
    assert [row[1] for row in await it.statuses()] == ["SENT", "SPAM", "SENT", "UNSUBSCRIBED"]
    assert await it.address(0, "complained_at is not null") is True
    assert await it.address(1, "unsubscribe_source") == "provider"
    logged = await shop.sql(
        "select value, action, source, reason, send_id from consent_log where org_id = %(org)s order by value"
    )
    assert logged == [
        (phone(0), "complained", "provider", "abuse", it.send_id),
        (phone(1), "unsubscribed", "provider", None, it.send_id),
    ]


async def test_names_of_another_organisation_are_nobodys(shop: Shop, db: Database) -> None:
    it = await sent(shop, ["sent"])
    await it.commit()
    stranger = await make_shop(db, "Stranger")
    async with db.transaction() as connection:
        fates = await apply(
            connection,
            stranger.org_id,
            [
                by_name(EventType.BOUNCED, "m-0", reason=Reason.INACTIVE),
                Report(type=EventType.BOUNCED, at=NOW, send_id=it.send_id, ordinal=0),
            ],
        )
    assert fates == [Fate.WAITS, Fate.WAITS]
    assert len(await it.statuses()) == 1
