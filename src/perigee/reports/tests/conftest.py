"""A shop whose books are written by SQL, so that every state can be had at any time, and read over the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from perigee.keys import Keys
from perigee.lib.ids import message_uuid
from perigee.testing.api import SECRET, Api
from perigee.testing.sending import EMAIL, Shop

START = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
"""When the books begin."""


class Books(Shop):
    """One organisation's sends, ledger and activity. Times are minutes after `START`."""

    def __init__(self, api: Api) -> None:
        super().__init__(api.db, api.org_id)
        self.api = api

    async def send(
        self,
        channel: str = "email",
        *,
        minute: float = 0,
        kind: str = "campaign",
        message_id: int | None = 2345001,
        campaign_id: int | None = 3459001,
        name: str = "News",
        tags: tuple[str, ...] = (),
        versions: dict[str, Any] | None = None,
        sender: str = '"Example Shop" <news@shop.example.com>',
        **content: Any,
    ) -> int:
        frozen = {"default": "en", "versions": versions or {"en": EMAIL}, "name": name, **content}
        return int(
            await self.value(
                "with kept as (insert into send_content (org_id, digest, content)"
                " values (%(org)s, sha256(convert_to(%(f)s, 'UTF8')), %(f)s::jsonb) on conflict do nothing)"
                " insert into send (org_id, started_at, kind, channel, campaign_id, message_id, message_name, tags,"
                " marketing, provider_id, content_digest, sender, state)"
                " values (%(org)s, %(at)s, %(k)s, %(c)s, %(camp)s, %(m)s, %(n)s, %(t)s, true, 1,"
                " sha256(convert_to(%(f)s, 'UTF8')), %(s)s, 'running') returning send_id",
                at=at(minute),
                k=kind,
                c=channel,
                camp=campaign_id,
                m=message_id,
                n=name,
                t=list(tags),
                f=msgspec.json.encode(frozen).decode(),
                s=sender,
            )
        )

    async def ledger(
        self,
        send_id: int,
        contact_id: int,
        address: str | None,
        *,
        ordinal: int = 0,
        minute: float = 0,
        outcome: str = "sent",
        language: str | None = "en",
    ) -> None:
        await self.sql(
            "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, language, at)"
            " select org_id, started_at, send_id, %(o)s, %(c)s, %(a)s, %(out)s, %(l)s, %(at)s"
            " from send where org_id = %(org)s and send_id = %(s)s",
            s=send_id,
            o=ordinal,
            c=contact_id,
            a=address,
            out=outcome,
            l=language,
            at=at(minute),
        )

    async def did(
        self,
        status: str,
        send_id: int,
        contact_id: int,
        *,
        ordinal: int = 0,
        minute: float = 0,
        channel: str = "email",
        detail: str | None = None,
        meta: dict[str, Any] | None = None,
    ) -> None:
        await self.sql(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail, meta)"
            " values (%(org)s, %(at)s, %(s)s, %(o)s, %(c)s, %(ch)s, %(st)s, %(d)s, %(m)s)",
            at=at(minute),
            s=send_id,
            o=ordinal,
            c=contact_id,
            ch=channel,
            st=status,
            d=detail,
            m=None if meta is None else msgspec.json.encode(meta).decode(),
        )

    def iid(self, send_id: int, ordinal: int = 0) -> str:
        return str(message_uuid(Keys.of(SECRET).message_ids, self.org_id, send_id, ordinal))

    async def feed(self, path: str = "/api/v2/contacts/activity", **query: Any) -> list[dict[str, Any]]:
        """Rows of the activity feed, as a rule those of March."""
        params = {"dateFrom": "2026-03-01", "dateTo": "2026-03-31", **query}
        answer = await self.api.get(path, params=params)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows

    async def history(self, **query: Any) -> list[dict[str, Any]]:
        params = {"dateFrom": "2026-03-01", "dateTo": "2026-03-31", **query}
        answer = await self.api.get("/api/v2/contacts/messages", params=params)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()
        return rows


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


@pytest.fixture
def books(api: Api) -> Books:
    return Books(api)
