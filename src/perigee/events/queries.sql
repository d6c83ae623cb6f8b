-- name: event_types
-- Types of these keys. Keys travel as one packed column (db/columns.py).
select event_type_id, key, use_for_segments, validate_params, params, contact_param
from event_type
where org_id = %(org_id)s and key = any(string_to_array(%(keys)s, E'\x1f', E'\x1e'));

-- name: insert_event_types
-- Keys come sorted, so that two callers who make the same types wait for each other in one order.
insert into event_type (org_id, key, name, category)
select %(org_id)s, key, key, %(category)s
from unnest(string_to_array(%(keys)s, E'\x1f', E'\x1e')) as given (key)
on conflict (org_id, key) do nothing;

-- name: insert_events
-- One statement for the whole set. Ids rise in the order given.
insert into event (org_id, occurred_at, event_type_id, event_key, contact_id, params, source)
select %(org_id)s, coalesce(occurred_at, now()), event_type_id, event_key, contact_id, params, source
from unnest(
    string_to_array(%(occurred)s, E'\x1f', E'\x1e')::timestamptz[],
    string_to_array(%(type_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(keys)s, E'\x1f', E'\x1e'),
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(params)s, E'\x1f', E'\x1e')::jsonb[],
    string_to_array(%(sources)s, E'\x1f', E'\x1e')
) as given (occurred_at, event_type_id, event_key, contact_id, params, source)
returning event_id;
