"""An audience is judged by key, also in tables of which the planner knows nothing yet (decision 3)."""

from __future__ import annotations

import pytest

from perigee.db.pool import Database
from perigee.delivery.frequency import limits
from perigee.delivery.rules import Budget, Cap, SendingRules
from perigee.delivery.suppression import ADDRESS_KIND, address_join

FILL = """
insert into contact (org_id, email, phone) select 1, 'a' || n || '@example.com', 380500000000 + n
from generate_series(1, 3000) n;
insert into address (org_id, kind, value) select 1, 'email', 'a' || n || '@example.com' from generate_series(1, 3000) n;
insert into address (org_id, kind, value) select 1, 'phone', 380500000000 + n from generate_series(1, 3000) n;
"""


@pytest.mark.parametrize("channel", ["email", "sms"])
async def test_each_address_is_looked_up_by_its_whole_key(db: Database, channel: str) -> None:
    async with db.connection() as conn:
        for table in ("contact", "address"):
            await conn.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
        await conn.execute(FILL)
        explained = await conn.execute(
            f"explain (costs off) select a.value from contact c {address_join(channel)} where c.org_id = 1".encode()
        )
        plan = "\n".join(row[0] for row in await explained.fetchall())
    kind = ADDRESS_KIND[channel]
    assert f"(kind = '{kind}'::text) AND (value = c." in plan
    assert "Join Filter" not in plan


async def test_what_people_got_lately_is_looked_up_by_person_and_by_send(db: Database) -> None:
    often = limits(SendingRules(caps={"email": [Cap(3, 7)]}, annoyance={"email": Budget(daily=2)}), "email")
    async with db.connection() as conn:
        for table in ("contact", "send", "delivery_default"):
            await conn.execute(f"alter table {table} set (autovacuum_enabled = off)".encode())
        await conn.execute(FILL)
        statement = (
            f"explain (costs off) select got_lately.today from contact c {often.join} where c.org_id = 1"
        )
        explained = await conn.execute(statement.encode(), {"send_id": 0})
        plan = "\n".join(row[0] for row in await explained.fetchall())
    assert "(org_id = c.org_id) AND (contact_id = c.contact_id) AND (at > " in plan
    assert "(org_id = d.org_id) AND (send_id = d.send_id)" in plan
