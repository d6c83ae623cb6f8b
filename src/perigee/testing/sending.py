"""What tests of campaigns and delivery share: a small shop with people, a list and a message, and a sender in process.

People and messages are written by SQL, so that every state of an address can be had without its history.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from perigee import upkeep
from perigee.campaigns import launch, manage, progress
from perigee.campaigns.types import Campaign, CampaignCreate, Progress, Report
from perigee.db.pool import Database
from perigee.delivery import consequences
from perigee.delivery.providers import Channels, add_provider, built_in_settings
from perigee.delivery.sender import Sender
from perigee.delivery.sends import Sends
from perigee.keys import Keys
from perigee.settings import Settings
from perigee.testing.api import SECRET, make_organisation
from perigee.testing.smtp_server import SmtpServer

PUBLIC_URL = "http://perigee.test"
SETTINGS = Settings(home=Path("/nonexistent"), secret_key=SECRET, public_url=PUBLIC_URL, lease_seconds=30)
EMAIL = {
    "from": '"Example Shop" <news@shop.example.com>',
    "subject": "News for %FIRSTNAME|friend%",
    "htmlText": "<html><body><p>Dear %FIRSTNAME|friend%</p><a href='https://shop.example.com/a'>Look</a>"
    "<a href='https://shop.example.com/p?t=%TOWN%'>Your town</a></body></html>",
}
SMS = {"from": "Shop", "text": "Hi %FIRSTNAME|friend%"}
PATIENCE = 20.0
"""Seconds until a sender that does not come to its end fails the test."""


class Shop:
    """One organisation."""

    def __init__(self, db: Database, org_id: int, settings: Settings = SETTINGS) -> None:
        self.db = db
        self.org_id = org_id
        self.settings = settings
        self.keys = Keys.of(SECRET)

    async def sql(self, query: str, **values: Any) -> list[Any]:
        """Rows of a query in which `%(org)s` is this organisation."""
        async with self.db.connection() as connection:
            cursor = await connection.execute(query.encode(), {"org": self.org_id, **values})
            return await cursor.fetchall() if cursor.description else []

    async def value(self, query: str, **values: Any) -> Any:
        return (await self.sql(query, **values))[0][0]

    async def person(self, email: str | None = None, **columns: Any) -> int:
        """A contact; `phone`, names, `language`, … as in the table. The address becomes active."""
        columns = {"email": email.lower() if email else None, **columns}
        for kind in ("email", "phone"):
            if value := columns.get(kind):
                spelling = email if kind == "email" and email != value else None
                await self.sql(
                    "insert into address (org_id, kind, value, spelling) values (%(org)s, %(k)s, %(v)s, %(s)s)"
                    " on conflict do nothing",
                    k=kind,
                    v=value,
                    s=spelling,
                )
        names = ", ".join(columns)
        places = ", ".join(f"%({name})s" for name in columns)
        return int(
            await self.value(
                f"insert into contact (org_id, {names}) values (%(org)s, {places}) returning contact_id",
                **columns,
            )
        )

    async def people(self, count: int, domain: str = "example.com") -> list[int]:
        """`person-1@example.com` and so on; every second one has a name."""
        await self.sql(
            "insert into address (org_id, kind, value)"
            " select %(org)s, 'email', 'person-' || n || '@' || %(d)s from generate_series(1, %(n)s) n",
            n=count,
            d=domain,
        )
        rows = await self.sql(
            "insert into contact (org_id, email, first_name) select %(org)s, 'person-' || n || '@' || %(d)s,"
            " case when n %% 2 = 0 then 'Name' || n end from generate_series(1, %(n)s) n returning contact_id",
            n=count,
            d=domain,
        )
        return sorted(row[0] for row in rows)

    async def mark(self, value: str, column: str, moment: str = "now()") -> None:
        """Sets a date of an address: `unsubscribed_at`, `blacklisted_at`, `blocked_until` …"""
        await self.sql(
            f"update address set {column} = {moment} where org_id = %(org)s and value = %(v)s", v=value
        )

    async def segment(self, name: str, members: Sequence[int]) -> int:
        segment_id = await self.value(
            "insert into segment (org_id, name, kind) values (%(org)s, %(n)s, 'static') returning segment_id",
            n=name,
        )
        await self.sql(
            "insert into segment_member (org_id, segment_id, contact_id) select %(org)s, %(s)s, unnest(%(m)s::bigint[])",
            s=segment_id,
            m=list(members),
        )
        return int(segment_id)

    async def message(
        self,
        channel: str = "email",
        *,
        versions: dict[str, Any] | None = None,
        categories: Sequence[str] = (),
    ) -> int:
        """`versions`: language → content; the first is the default. Contents are completed by a usual one."""
        usual = {"email": EMAIL, "sms": SMS}.get(channel, {})
        versions = versions or {"en": {}}
        message_id = await self.value(
            "insert into message (org_id, channel, name, language, subscriptions_keys)"
            " values (%(org)s, %(c)s, 'News', %(l)s, %(k)s) returning message_id",
            c=channel,
            l=next(iter(versions)),
            k=list(categories),
        )
        for language, content in versions.items():
            await self.sql(
                "insert into message_version (org_id, message_id, language, content)"
                " values (%(org)s, %(m)s, %(l)s, %(c)s)",
                m=message_id,
                l=language,
                c=msgspec.json.encode({**usual, **content}).decode(),
            )
        return int(message_id)

    async def campaign(self, message_id: int, include: Sequence[int], **more: Any) -> Campaign:
        wanted = CampaignCreate(message_id=message_id, include=list(include), **more)
        async with self.db.transaction() as connection:
            return await manage.create(connection, self.org_id, wanted)

    async def act(self, action: Callable[..., Any], campaign_id: int, **more: Any) -> Campaign:
        async with self.db.transaction() as connection:
            done: Campaign = await action(connection, self.org_id, campaign_id, **more)
            return done

    async def launch_due(self, now: datetime | None = None, *, batch_size: int = 500) -> None:
        await launch.launch_due(
            self.db,
            now=now or datetime.now(UTC),
            grace=timedelta(seconds=self.settings.schedule_grace_seconds),
            batch_size=batch_size,
            public_url=PUBLIC_URL,
        )

    async def launch(self, campaign_id: int, *, batch_size: int = 500) -> Campaign:
        """Launched and frozen; nothing is sent yet."""
        await self.act(manage.launch, campaign_id, at=None, now=datetime.now(UTC))
        await self.launch_due(batch_size=batch_size)
        return await self.get(campaign_id)

    async def started(self, people: Sequence[int], *, batch_size: int = 500, **message: Any) -> Campaign:
        """A launched campaign to these people."""
        message_id = await self.message(**message)
        segment_id = await self.segment(f"for {message_id}", people)
        return await self.launch(
            (await self.campaign(message_id, [segment_id])).campaign_id, batch_size=batch_size
        )

    async def get(self, campaign_id: int) -> Campaign:
        from perigee.campaigns import store

        async with self.db.connection() as connection:
            return await store.get_campaign(connection, self.org_id, campaign_id)

    async def progress(self, campaign_id: int) -> Progress:
        async with self.db.connection() as connection:
            return await progress.progress(connection, self.org_id, campaign_id)

    async def report(self, campaign_id: int) -> Report:
        """The report, after checking that it and the progress add up and agree."""
        async with self.db.connection() as connection:
            found = await progress.report(connection, self.org_id, campaign_id)
            state = await progress.progress(connection, self.org_id, campaign_id)
        failed, dropped = sum(found.failed.values()), sum(found.dropped.values())
        assert found.chosen == found.sent + failed + dropped + found.uncertain + found.waiting
        assert (state.sent, state.failed, state.dropped, state.uncertain, state.waiting) == (
            found.sent,
            failed,
            dropped,
            found.uncertain,
            found.waiting,
        )
        assert found.waiting >= 0
        return found

    async def outcomes(self, campaign_id: int) -> dict[int, tuple[str, str | None]]:
        """contact_id → (outcome, reason) of the ledger."""
        rows = await self.sql(
            "select d.contact_id, d.outcome, d.reason from delivery d join campaign c on c.org_id = d.org_id"
            " and c.send_id = d.send_id where d.org_id = %(org)s and c.campaign_id = %(c)s",
            c=campaign_id,
        )
        assert len(rows) == len({row[0] for row in rows}), "somebody has two lines"
        return {row[0]: (row[1], row[2]) for row in rows}

    async def use_smtp(self, server: SmtpServer, **settings: Any) -> int:
        """Email goes to this server from now on."""
        async with self.db.transaction() as connection:
            return await add_provider(
                connection,
                self.org_id,
                self.keys.sealing,
                channel="email",
                kind="smtp",
                name="Relay",
                settings={
                    "host": "127.0.0.1",
                    "port": server.port,
                    "security": "none",
                    "helo": "test",
                    **settings,
                },
            )

    async def retry_now(self) -> None:
        """Everybody who waits for a retry is due."""
        await self.sql("update send_retry set due_at = now() where org_id = %(org)s")
        await upkeep.move_retries(self.db)

    def sender(self) -> Sender:
        return Sender(
            self.settings,
            self.db,
            Sends(
                self.db,
                self.keys,
                PUBLIC_URL,
                bounce_domain=self.settings.bounce_domain,
                short_url=self.settings.short_url,
            ),
            Channels(self.db, self.keys.sealing, built_in_settings(self.settings)),
        )

    async def idle(self) -> bool:
        """No batch is due (or will be in a moment, as after a pause) or in hands."""
        return not await self.sql(
            "select 1 from send_batch b join send s using (org_id, send_id) where b.org_id = %(org)s"
            " and b.done_at is null and (b.owner is not null or (s.state = 'running' and b.due_at <= now() + interval '1 second'))"
        )

    async def run_sender(self, senders: int = 1) -> None:
        """Sends until there is nothing due."""
        async with self.sending(senders):
            await until(self.idle)
        await consequences.finish(self.db)

    @asynccontextmanager
    async def sending(self, senders: int = 1) -> AsyncIterator[list[Sender]]:
        made = [self.sender() for _ in range(senders)]
        tasks = [asyncio.create_task(sender.run(idle_seconds=0.01)) for sender in made]
        try:
            yield made
        finally:
            for sender in made:
                sender.stop.set()
            await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE)
            for sender in made:
                await sender.channels.close()


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await condition():  # noqa: ASYNC110  # the condition is in the database
            await asyncio.sleep(0.01)


async def make_shop(db: Database, name: str = "Example Shop") -> Shop:
    org_id, _ = await make_organisation(db, name)
    return Shop(db, org_id)
