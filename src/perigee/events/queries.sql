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
on conflict (org_id, key) do nothing
returning key;

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

-- name: match_people
-- The contact of each identity, the surest identifier first. `narrow`: an address leads only to a contact that has
-- no other external id than the one given. Of several, one that is alive goes first, then one without a foreign
-- external id, then the one updated last. Scalar subqueries stop at the first hit and always use their index.
select picked.n, contact.contact_id, contact.external_id, contact.email, contact.phone
from (
    select given.n, coalesce(
        (select c.contact_id from contact c where c.org_id = %(org_id)s and c.contact_id = given.contact_id),
        (select c.contact_id from contact c where c.org_id = %(org_id)s and c.external_id = given.external_id),
        (select c.contact_id from contact c
         where c.org_id = %(org_id)s and c.email = given.email
           and (not %(narrow)s or given.external_id is null or c.external_id is null)
         order by c.deleted_at is not null, given.external_id is not null and c.external_id is not null,
                  c.updated_at desc, c.contact_id desc
         limit 1),
        (select c.contact_id from contact c
         where c.org_id = %(org_id)s and c.phone = given.phone
           and (not %(narrow)s or given.external_id is null or c.external_id is null)
         order by c.deleted_at is not null, given.external_id is not null and c.external_id is not null,
                  c.updated_at desc, c.contact_id desc
         limit 1),
        (select t.contact_id from push_token t
         where t.org_id = %(org_id)s and t.token = given.token
         order by t.updated_at desc limit 1),
        (select c.contact_id from contact c
         where c.org_id = %(org_id)s and c.contact_key = given.contact_key
         order by c.deleted_at is not null, c.updated_at desc, c.contact_id desc
         limit 1)
    ) as contact_id
    from unnest(
        string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
        string_to_array(%(external_ids)s, E'\x1f', E'\x1e'),
        string_to_array(%(emails)s, E'\x1f', E'\x1e'),
        string_to_array(%(phones)s, E'\x1f', E'\x1e'),
        string_to_array(%(tokens)s, E'\x1f', E'\x1e'),
        string_to_array(%(contact_keys)s, E'\x1f', E'\x1e')
    ) with ordinality as given (contact_id, external_id, email, phone, token, contact_key, n)
    offset 0
) as picked
cross join lateral (
    select c.contact_id, c.external_id, c.email, c.phone
    from contact c
    where c.org_id = %(org_id)s and c.contact_id = picked.contact_id
    offset 0
) as contact;

-- name: delete_events
-- Of one source and period; only the partitions of the period are read.
delete from event
where org_id = %(org_id)s and occurred_at >= %(first)s and occurred_at < %(end)s and source = %(source)s;

-- name: list_event_types
select event_type_id, key, name, category, description, use_for_segments, validate_params, params, contact_param,
       created_at
from event_type
where org_id = %(org_id)s and event_type_id > %(behind)s
order by event_type_id
limit %(limit)s;

-- name: get_event_type
select event_type_id, key, name, category, description, use_for_segments, validate_params, params, contact_param,
       created_at
from event_type
where org_id = %(org_id)s and event_type_id = %(event_type_id)s;

-- name: update_event_type
-- Null leaves a column as it is; an empty contact_param takes it away.
update event_type
set name = coalesce(%(name)s, name), category = coalesce(%(category)s, category),
    description = coalesce(%(description)s, description),
    use_for_segments = coalesce(%(use_for_segments)s, use_for_segments),
    validate_params = coalesce(%(validate_params)s, validate_params),
    params = coalesce(%(params)s::jsonb, params),
    contact_param = nullif(coalesce(%(contact_param)s, contact_param), '')
where org_id = %(org_id)s and event_type_id = %(event_type_id)s
returning event_type_id;

-- name: contact_exists
select exists (select from contact where org_id = %(org_id)s and contact_id = %(contact_id)s);

-- name: contact_events
-- A page of a contact's history, newest first.
select event.event_id, event_type.key, event.event_key, event.occurred_at, event.params, event.source
from event
join event_type using (org_id, event_type_id)
where event.org_id = %(org_id)s and event.contact_id = %(contact_id)s
  and (%(before)s::timestamptz is null or (event.occurred_at, event.event_id) < (%(before)s, %(before_id)s))
order by event.occurred_at desc, event.event_id desc
limit %(limit)s;

-- name: delete_event_type
with errors as (
    delete from event_error where org_id = %(org_id)s and event_type_id = %(event_type_id)s
)
delete from event_type where org_id = %(org_id)s and event_type_id = %(event_type_id)s returning event_type_id;

-- name: span
-- When the first and the last event of an organisation happened; both ends of an index.
select min(occurred_at), max(occurred_at) from event where org_id = %(org_id)s;

-- name: delete_type_events
delete from event
where org_id = %(org_id)s and event_type_id = %(event_type_id)s
  and occurred_at >= %(first)s and occurred_at < %(last)s;

-- name: find_events
-- Newest first. Planned for its values: a contact's by their index, everybody's backwards by time.
select e.event_id, e.event_type_id, t.key, e.event_key, e.contact_id, e.occurred_at, e.params, e.source
from event e
join event_type t using (org_id, event_type_id)
where e.org_id = %(org_id)s
  and (%(first)s::timestamptz is null or e.occurred_at >= %(first)s)
  and (%(last)s::timestamptz is null or e.occurred_at < %(last)s)
  and (%(event_type_id)s::bigint is null or e.event_type_id = %(event_type_id)s)
  and (%(contact_id)s::bigint is null or e.contact_id = %(contact_id)s)
  and (%(param)s::text is null or e.params ? %(param)s)
  and (%(value)s::text is null or e.params ->> %(param)s = %(value)s)
  and (%(before)s::timestamptz is null or (e.occurred_at, e.event_id) < (%(before)s, %(before_id)s))
order by e.occurred_at desc, e.event_id desc
limit %(limit)s;

-- name: type_figures
with happened as (
    select event_type_id, count(*) as total, count(*) - count(contact_id) as nobody,
           count(*) filter (where occurred_at >= %(now)s::timestamptz - interval '7 days') as week,
           count(*) filter (where occurred_at < %(now)s::timestamptz - interval '7 days'
                              and occurred_at >= %(now)s::timestamptz - interval '14 days') as before
    from event
    where org_id = %(org_id)s and occurred_at >= %(now)s::timestamptz - interval '30 days' and occurred_at < %(now)s::timestamptz
    group by event_type_id
), refused as (
    select event_type_id, count(*) as refused
    from event_error
    where org_id = %(org_id)s and at >= %(now)s::timestamptz - interval '30 days' and event_type_id is not null
    group by event_type_id
)
select t.event_type_id, t.key, coalesce(h.total, 0), case when t.use_for_segments then coalesce(h.nobody, 0) else 0 end,
       coalesce(r.refused, 0), coalesce(h.week, 0), coalesce(h.before, 0)
from event_type t
left join happened h using (event_type_id)
left join refused r using (event_type_id)
where t.org_id = %(org_id)s
order by t.event_type_id;

-- name: type_days
with zone as (select time_zone from organisation where org_id = %(org_id)s), happened as (
    select (occurred_at at time zone (select time_zone from zone))::date as day, count(*) as total,
           count(*) - count(contact_id) as nobody
    from event
    where org_id = %(org_id)s and event_type_id = %(event_type_id)s
      and occurred_at >= %(first)s and occurred_at < %(last)s
    group by 1
), refused as (
    select (at at time zone (select time_zone from zone))::date as day, count(*) as refused
    from event_error
    where org_id = %(org_id)s and event_type_id = %(event_type_id)s and at >= %(first)s and at < %(last)s
    group by 1
)
select day, coalesce(h.total, 0),
       case when (select use_for_segments from event_type where org_id = %(org_id)s and event_type_id = %(event_type_id)s)
            then coalesce(h.nobody, 0) else 0 end,
       coalesce(r.refused, 0)
from happened h full join refused r using (day)
order by day;

-- name: insert_event_errors
insert into event_error (org_id, event_type_id, type_key, event_key, reason, body)
select %(org_id)s, type_id, type_key, event_key, reason, body
from unnest(
    string_to_array(%(type_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(type_keys)s, E'\x1f', E'\x1e'),
    string_to_array(%(event_keys)s, E'\x1f', E'\x1e'),
    string_to_array(%(reasons)s, E'\x1f', E'\x1e'),
    string_to_array(%(bodies)s, E'\x1f', E'\x1e')
) as given (type_id, type_key, event_key, reason, body);

-- name: event_errors
select error_id, at, event_type_id, type_key, event_key, reason, body
from event_error
where org_id = %(org_id)s
  and (%(event_type_id)s::bigint is null or event_type_id = %(event_type_id)s)
  and (%(before)s = 0 or error_id < %(before)s)
order by error_id desc
limit %(limit)s;

-- name: prune_event_errors
-- across organisations: what is too old goes.
delete from event_error where at < now() - make_interval(days => %(days)s);
