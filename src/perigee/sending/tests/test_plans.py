"""Look-ups of a call go by their whole key, with no statistics to help (db/plans.py)."""

from __future__ import annotations

from perigee.db.plans import by_key
from perigee.sending import store
from perigee.testing.api import Api


async def plan(api: Api, query: str, **values: object) -> str:
    async with api.db.transaction() as conn:
        await by_key(conn)
        cursor = await conn.execute(f"explain (costs off) {query}".encode(), {"org_id": api.org_id, **values})
        return "\n".join(row[0] for row in await cursor.fetchall())


async def test_recipients_are_found_by_their_keys(api: Api) -> None:
    text = await plan(
        api, store.q.find_contacts, kinds="email", values="a@example.com", token_kind="mobilepush"
    )
    for index in (
        "contact_pkey",
        "contact_external_id",
        "contact_email",
        "contact_phone",
        "push_token_token",
    ):
        assert f"using {index} " in text
    assert "contact_updated" not in text


async def test_states_are_found_by_their_keys(api: Api) -> None:
    text = await plan(api, store.q.message_states, sends=[1], ordinals=[0])
    assert "using send_pkey " in text
    assert "using send_retry_pkey " in text
    assert "send_started_at = send.started_at" in text
