"""Where a contact is named: the tables whose rows go with a merged contact to the survivor, by the keys that find them again.

Statements over them are made here and not in queries.sql: they are one statement with other names, all from this table.
"""

from __future__ import annotations

from typing import Final

PLACES: Final[dict[str, dict[str, str]]] = {
    "activity": {"at": "timestamptz", "activity_id": "bigint"},
    "bounce_mail": {"mail_id": "bigint"},
    "consent_log": {"at": "timestamptz", "log_id": "bigint"},
    "delivery": {"send_started_at": "timestamptz", "send_id": "bigint", "ordinal": "integer"},
    "event": {"occurred_at": "timestamptz", "event_id": "bigint"},
    "inbox_message": {"send_id": "bigint", "ordinal": "integer"},
    "orders": {"order_id": "bigint"},
    "promo_code": {"code": "text"},
    "push_token": {"token_id": "bigint"},
    "rfm_move": {"move_id": "bigint"},
    "sandbox_message": {"sandbox_id": "bigint"},
    "send_recipient": {"send_id": "bigint", "ordinal": "integer"},
    "smpp_stray": {"stray_id": "bigint"},
    "visitor": {"visitor_id": "text"},
}
"""Table → columns of its key, beside org_id, with their types."""

ELSEWHERE: Final[dict[str, str]] = {
    "contact": "the card itself",
    "contact_orders": "counted anew",
    "contact_rfm": "placed anew",
    "erased_contact": "of nobody who could be merged",
    "export_person": "whom an export under way still has to write; who is gone is left out",
    "inbox_session": "the application asks for a new token",
    "segment_change": "the live segments see that one is gone and the other one changed",
    "segment_dirty": "as before",
    "segment_live": "as before",
    "segment_member": "lists of both, kept with their dates",
}
"""Other tables with a contact_id, and why they are not moved row by row."""


def move(table: str) -> str:
    """Parameters: org_id, merge_ids."""
    keys = ", ".join(f"t.{column}" for column in PLACES[table])
    return f"""
with moved as (
    update {table} t set contact_id = m.survivor_id
    from contact_merge m
    where m.org_id = %(org_id)s and m.merge_id = any(%(merge_ids)s::bigint[]) and m.undone_at is null
      and t.org_id = %(org_id)s and t.contact_id = m.merged_id and t.contact_id > 0
    returning m.merge_id, jsonb_build_array({keys}) as key
)
insert into contact_moved (org_id, merge_id, place, keys)
select %(org_id)s, merge_id, '{table}', jsonb_agg(key) from moved group by merge_id"""  # noqa: S608


def move_back(table: str) -> str:
    """Rows that are still the survivor's. Parameters: org_id, merge_id."""
    found = " and ".join(
        f"t.{column} = (key ->> {place})::{kind}"
        for place, (column, kind) in enumerate(PLACES[table].items())
    )
    return f"""
update {table} t set contact_id = m.merged_id
from contact_merge m
join contact_moved v on v.org_id = m.org_id and v.merge_id = m.merge_id and v.place = '{table}'
cross join lateral jsonb_array_elements(v.keys) as key
where m.org_id = %(org_id)s and m.merge_id = %(merge_id)s
  and t.org_id = %(org_id)s and {found} and t.contact_id = m.survivor_id"""  # noqa: S608
