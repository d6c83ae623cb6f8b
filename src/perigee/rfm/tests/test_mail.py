"""The grid of mails follows what people opened."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perigee.orders.tests.conftest import Shop, shop
from perigee.reports.store import settled_until
from perigee.rfm import day
from perigee.rfm.place import place_readers
from perigee.rfm.tests.test_sales import cells, moves

__all__ = ["shop"]


@pytest.fixture
async def anna(shop: Shop) -> int:
    (row,) = await shop.rows(
        "insert into contact (org_id, external_id) values (%(org_id)s, 'ANNA') returning contact_id"
    )
    return int(row["contact_id"])


async def did(
    shop: Shop,
    contact_id: int,
    status: str,
    *,
    message: int = 1,
    days: float = 0,
    channel: str = "email",
    meta: str = "{}",
) -> None:
    """Something that happened to one message so many days ago."""
    await shop.rows(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta) "
        "values (%(org_id)s, %(at)s, 7, %(message)s, %(contact_id)s, %(channel)s, %(status)s, %(meta)s) returning 1",
        at=datetime.now(UTC) - timedelta(days=days),
        message=message,
        contact_id=contact_id,
        channel=channel,
        status=status,
        meta=meta,
    )


async def look(shop: Shop) -> dict[str, tuple[int, int]]:
    await day.keep(shop.db, datetime.now(UTC))
    return await cells(shop, "mail")


async def test_messages_count_once_and_a_click_is_an_open(shop: Shop, anna: int) -> None:
    await did(shop, anna, "READ", message=1)
    await did(shop, anna, "READ", message=1)
    await did(shop, anna, "CLICKED", message=1)
    await did(shop, anna, "CLICKED", message=2)
    assert await look(shop) == {"ANNA": (1, 2)}


@pytest.mark.parametrize(
    "hit",
    [
        {"status": "READ", "meta": '{"machine": "prefetch"}'},
        {"status": "CLICKED", "channel": "sms"},
        {"status": "DELIVERED"},
        {"status": "UNSUBSCRIBED"},
    ],
)
async def test_machines_other_channels_and_other_deeds_count_nowhere(
    shop: Shop, anna: int, hit: dict[str, str]
) -> None:
    await did(shop, anna, **hit)  # type: ignore[arg-type]  # names and values of the parameters
    assert await look(shop) == {}


async def test_what_happens_later_moves_people(shop: Shop, anna: int) -> None:
    await did(shop, anna, "READ", days=40)
    assert await look(shop) == {"ANNA": (3, 1)}
    await did(shop, anna, "READ", message=2)
    assert await look(shop) == {"ANNA": (1, 2)}
    assert await moves(shop) == [(3, 1, 1, 2)]


async def test_an_open_found_out_as_a_machines_leaves_again(shop: Shop, anna: int) -> None:
    """The hit that gave the machine away is written behind the mark, so its person is looked at again."""
    await did(shop, anna, "READ")
    assert await look(shop) == {"ANNA": (1, 1)}
    await shop.rows(
        """update activity set meta = '{"machine": "burst"}' where org_id = %(org_id)s returning 1"""
    )
    await did(shop, anna, "CLICKED", meta='{"machine": "burst"}')
    assert await look(shop) == {}


async def test_pages_of_hits_at_one_moment_reach_everybody(
    shop: Shop, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(day, "HITS", 2)
    await shop.rows(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status) "
        "select %(org_id)s, now(), 7, n, %(anna)s, 'email', case n %% 2 when 0 then 'READ' else 'CLICKED' end "
        "from generate_series(1, 7) n returning 1",
        anna=anna,
    )
    assert await look(shop) == {"ANNA": (1, 4)}
    ((mark,),) = [
        (row["seen_id"],)
        for row in await shop.rows("select seen_id from rfm_grid where org_id = %(org_id)s and grid = 'mail'")
    ]
    ((last,),) = [
        (row["last"],)
        for row in await shop.rows("select max(activity_id) as last from activity where org_id = %(org_id)s")
    ]
    assert mark == last


async def test_what_a_transaction_still_writes_is_not_passed_by(shop: Shop, anna: int) -> None:
    async with shop.db.transaction() as conn:
        await conn.execute(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status) "
            "values (%(org_id)s, now(), 7, 1, %(anna)s, 'email', 'READ')",
            {"org_id": shop.org_id, "anna": anna},
        )
        await did(shop, anna, "READ", message=2)
        await look(shop)
    async with shop.db.connection() as conn:
        assert await settled_until(conn) > datetime.now(UTC) - timedelta(minutes=1)
    assert await look(shop) == {"ANNA": (1, 2)}


async def test_named_people_are_placed_at_once(shop: Shop, anna: int) -> None:
    """For whoever merges contacts."""
    await did(shop, anna, "READ")
    async with shop.db.transaction() as conn:
        await place_readers(conn, shop.org_id, [anna])
    assert await cells(shop, "mail") == {"ANNA": (1, 1)}
