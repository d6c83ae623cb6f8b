-- name: lock_addresses
-- Locks the known addresses in the order given: by kind and value. Which of them are known, by their places; whether
-- any of these still waits for its owner; whether the organisation remembers erased addresses.
select string_agg(known.n::text, ','), coalesce(bool_or(not known.confirmed), false),
       exists (select from erasure_key where org_id = %(org_id)s)
from (
    select given.n, a.confirmed
    from unnest(
        string_to_array(%(kinds)s, E'\x1f', E'\x1e'), string_to_array(%(values)s, E'\x1f', E'\x1e')
    ) with ordinality as given (kind, value, n)
    cross join lateral (
        select a.confirmed from address a
        where a.org_id = %(org_id)s and a.kind = given.kind and a.value = given.value
        offset 0
        for no key update
    ) as a
    offset 0
) as known;

-- name: insert_addresses
-- Without `on conflict`: an address that another transaction has just brought must end this one, which then starts
-- over and finds it. `confirmed` false makes emails wait for their owner. An address that was erased and must not be
-- written to is still known by its hash, and stays so.
insert into address (org_id, kind, value, spelling, confirmed, unsubscribed_at, complained_at, blacklisted_at)
select %(org_id)s, given.kind, given.value, given.spelling, %(confirmed)s or given.kind <> 'email',
       erased.unsubscribed_at, erased.complained_at, erased.blacklisted_at
from unnest(
    string_to_array(%(kinds)s, E'\x1f', E'\x1e'),
    string_to_array(%(values)s, E'\x1f', E'\x1e'),
    string_to_array(%(spellings)s, E'\x1f', E'\x1e')
) as given (kind, value, spelling)
left join erasure_key on erasure_key.org_id = %(org_id)s
left join lateral (
    select e.unsubscribed_at, e.complained_at, e.blacklisted_at
    from erased_address e
    where erasure_key.key is not null and e.org_id = %(org_id)s and e.kind = given.kind
      and e.fingerprint = sha256(erasure_key.key || convert_to(given.value, 'UTF8'))
    offset 0
) as erased on true;

-- name: confirm_addresses
-- Ends the waiting of known emails, and says so in the consent log.
with confirmed as (
    update address set confirmed = true
    where org_id = %(org_id)s and kind = 'email' and not confirmed
      and value = any(string_to_array(%(emails)s, E'\x1f', E'\x1e'))
    returning value
)
insert into consent_log (org_id, kind, value, action, source)
select %(org_id)s, 'email', value, 'confirmed', %(source)s from confirmed;

-- name: match_contacts
-- The contact of each row: two texts, ids separated by commas and one letter per row. n nobody, the id is a fresh one;
-- u found; d found, deleted; x the external id is another contact's. See contacts/policy.py for the rules. A device
-- (`by_device`) does not lead to a contact with another email or phone: its last user is somebody else.
select string_agg(coalesce(chosen.contact_id, nextval('contact_id_seq'))::text, ',' order by chosen.n),
       string_agg(chosen.state, '' order by chosen.n)
from (
    select given.n,
           coalesce(owner.contact_id, found.contact_id) as contact_id,
           case when taken.contact_id <> found.contact_id then 'x'
                when coalesce(owner.contact_id, found.contact_id) is null then 'n'
                when coalesce(owner.deleted, found.deleted) then 'd'
                else 'u' end as state
    from unnest(
        string_to_array(%(external_ids)s, E'\x1f', E'\x1e'),
        string_to_array(%(emails)s, E'\x1f', E'\x1e'),
        string_to_array(%(phones)s, E'\x1f', E'\x1e'),
        string_to_array(%(direct_ids)s, E'\x1f', E'\x1e')::bigint[]
    ) with ordinality as given (external_id, email, phone, direct_id, n)
    left join lateral (
        select c.contact_id, c.deleted_at is not null as deleted
        from contact c
        where c.org_id = %(org_id)s and c.external_id = given.external_id and %(unknown)s <> 'check'
        offset 0
    ) as owner on true
    left join lateral (
        select c.contact_id
        from contact c
        where c.org_id = %(org_id)s and c.external_id = given.external_id and %(unknown)s = 'check'
        offset 0
    ) as taken on true
    left join lateral (
        select candidate.contact_id, candidate.deleted
        from (
            select c.contact_id, c.external_id, c.updated_at, c.deleted_at is not null as deleted,
                   %(email_rank)s::int as rank
            from contact c
            where %(email_rank)s > 0 and c.org_id = %(org_id)s and c.email = given.email
            union all
            select c.contact_id, c.external_id, c.updated_at, c.deleted_at is not null, %(phone_rank)s::int
            from contact c
            where %(phone_rank)s > 0 and c.org_id = %(org_id)s and c.phone = given.phone
            union all
            select c.contact_id, c.external_id, c.updated_at, c.deleted_at is not null, %(direct_rank)s::int
            from contact c
            where %(direct_rank)s > 0 and c.org_id = %(org_id)s and c.contact_id = given.direct_id
              and (not %(by_device)s or ((c.email = given.email or c.email is null or given.email is null)
                                         and (c.phone = given.phone or c.phone is null or given.phone is null)))
        ) as candidate
        where owner.contact_id is null
          and (given.external_id is null or %(unknown)s in ('search', 'check')
               or (%(unknown)s = 'unowned' and candidate.external_id is null))
        order by candidate.deleted, given.external_id is not null and candidate.external_id is not null,
                 candidate.rank, candidate.updated_at desc, candidate.contact_id desc
        limit 1
    ) as found on true
    offset 0
) as chosen;

-- name: lock_fields
-- A field's value has no row of its own to lock: callers who match by one field take turns.
select pg_advisory_xact_lock(hashtextextended('contact field ' || %(field_id)s, %(org_id)s));

-- name: plan_by_key
-- As `db.plans.by_key`, and no joins that read more than they need: what an upsert changes it finds row by row.
select set_config('plan_cache_mode', 'force_generic_plan', true), set_config('enable_seqscan', 'off', true),
       set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
       set_config('enable_material', 'off', true);

-- name: plan_freely
-- Ends `plan_by_key` before the transaction does.
select set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'on', true),
       set_config('enable_hashjoin', 'on', true), set_config('enable_mergejoin', 'on', true),
       set_config('enable_material', 'on', true);

-- name: match_by_field
-- The contact of each row by the value of one additional field, among those that the policy may choose from. Reads
-- the organisation's contacts once: no index covers every field.
select distinct on (given.n) given.n, c.contact_id
from unnest(
    string_to_array(%(values)s, E'\x1f', E'\x1e'),
    string_to_array(%(external_ids)s, E'\x1f', E'\x1e')
) with ordinality as given (value, external_id, n)
join contact c on c.fields ->> %(field_id)s = given.value
where c.org_id = %(org_id)s
  and (given.external_id is null or %(unknown)s = 'search' or c.external_id is null)
order by given.n, c.deleted_at is not null, c.updated_at desc, c.contact_id desc;

-- name: insert_contacts
insert into contact (
    org_id, contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info, source, created_at, updated_at
)
select %(org_id)s, contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
       region, town, street, postcode, fields, orders_info, %(source)s, statement_timestamp(), statement_timestamp()
from unnest(
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(external_id)s, E'\x1f', E'\x1e'),
    string_to_array(%(email)s, E'\x1f', E'\x1e'),
    string_to_array(%(phone)s, E'\x1f', E'\x1e'),
    string_to_array(%(first_name)s, E'\x1f', E'\x1e'),
    string_to_array(%(last_name)s, E'\x1f', E'\x1e'),
    string_to_array(%(contact_key)s, E'\x1f', E'\x1e'),
    string_to_array(%(language)s, E'\x1f', E'\x1e'),
    string_to_array(%(time_zone)s, E'\x1f', E'\x1e'),
    string_to_array(%(region)s, E'\x1f', E'\x1e'),
    string_to_array(%(town)s, E'\x1f', E'\x1e'),
    string_to_array(%(street)s, E'\x1f', E'\x1e'),
    string_to_array(%(postcode)s, E'\x1f', E'\x1e'),
    string_to_array(%(fields)s, E'\x1f', E'\x1e')::jsonb[],
    string_to_array(%(orders_info)s, E'\x1f', E'\x1e')::jsonb[]
) as given (
    contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info
);

-- name: update_contacts
-- Told at store.update_contacts.
insert into contact as c (
    org_id, contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info, deleted_at
)
select %(org_id)s, contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info, case when forced then 'infinity'::timestamptz end
from unnest(
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(external_id)s, E'\x1f', E'\x1e'),
    string_to_array(%(email)s, E'\x1f', E'\x1e'),
    string_to_array(%(phone)s, E'\x1f', E'\x1e'),
    string_to_array(%(first_name)s, E'\x1f', E'\x1e'),
    string_to_array(%(last_name)s, E'\x1f', E'\x1e'),
    string_to_array(%(contact_key)s, E'\x1f', E'\x1e'),
    string_to_array(%(language)s, E'\x1f', E'\x1e'),
    string_to_array(%(time_zone)s, E'\x1f', E'\x1e'),
    string_to_array(%(region)s, E'\x1f', E'\x1e'),
    string_to_array(%(town)s, E'\x1f', E'\x1e'),
    string_to_array(%(street)s, E'\x1f', E'\x1e'),
    string_to_array(%(postcode)s, E'\x1f', E'\x1e'),
    string_to_array(%(fields)s, E'\x1f', E'\x1e')::jsonb[],
    string_to_array(%(orders_info)s, E'\x1f', E'\x1e')::jsonb[],
    string_to_array(%(forced)s, E'\x1f', E'\x1e')::boolean[]
) as given (
    contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info, forced
)
on conflict (org_id, contact_id) do update set
  external_id = nullif(case when %(keep_external_id)s then coalesce(c.external_id, excluded.external_id)
  else coalesce(excluded.external_id, c.external_id) end, E'\x1d'),
  email = nullif(case when %(keep_email)s then coalesce(c.email, excluded.email)
  else coalesce(excluded.email, c.email) end, E'\x1d'),
  phone = nullif(case when %(keep_phone)s then coalesce(c.phone, excluded.phone)
  else coalesce(excluded.phone, c.phone) end, E'\x1d'),
  first_name = nullif(coalesce(excluded.first_name, c.first_name), E'\x1d'),
  last_name = nullif(coalesce(excluded.last_name, c.last_name), E'\x1d'),
  contact_key = nullif(coalesce(excluded.contact_key, c.contact_key), E'\x1d'),
  language = nullif(coalesce(excluded.language, c.language), E'\x1d'),
  time_zone = nullif(coalesce(excluded.time_zone, c.time_zone), E'\x1d'),
  region = nullif(coalesce(excluded.region, c.region), E'\x1d'),
  town = nullif(coalesce(excluded.town, c.town), E'\x1d'),
  street = nullif(coalesce(excluded.street, c.street), E'\x1d'),
  postcode = nullif(coalesce(excluded.postcode, c.postcode), E'\x1d'),
  fields = case when excluded.fields = '{}' then c.fields
  else jsonb_strip_nulls(c.fields || excluded.fields) end,
  orders_info = nullif(coalesce(excluded.orders_info, c.orders_info), 'null'),
  deleted_at = null,
  updated_at = statement_timestamp()
where excluded.deleted_at is not null or c.deleted_at is not null
  or case when %(keep_external_id)s and c.external_id is not null then false else excluded.external_id <> coalesce(c.external_id, E'\x1d') end
  or case when %(keep_email)s and c.email is not null then false else excluded.email <> coalesce(c.email, E'\x1d') end
  or case when %(keep_phone)s and c.phone is not null then false else excluded.phone <> coalesce(c.phone, E'\x1d') end
  or excluded.first_name <> coalesce(c.first_name, E'\x1d')
  or excluded.last_name <> coalesce(c.last_name, E'\x1d')
  or excluded.contact_key <> coalesce(c.contact_key, E'\x1d')
  or excluded.language <> coalesce(c.language, E'\x1d')
  or excluded.time_zone <> coalesce(c.time_zone, E'\x1d')
  or excluded.region <> coalesce(c.region, E'\x1d')
  or excluded.town <> coalesce(c.town, E'\x1d')
  or excluded.street <> coalesce(c.street, E'\x1d')
  or excluded.postcode <> coalesce(c.postcode, E'\x1d')
  or excluded.orders_info <> coalesce(c.orders_info, 'null')
  or (excluded.fields <> '{}' and jsonb_strip_nulls(c.fields || excluded.fields) <> c.fields)
returning xmax = 0;

-- name: lock_tokens
-- The stored tokens of these kinds and values, of whatever application, locked in the order given.
select t.token_id, t.kind, t.app_id, t.token, t.contact_id
from unnest(
    string_to_array(%(kinds)s, E'\x1f', E'\x1e'),
    string_to_array(%(values)s, E'\x1f', E'\x1e')
) as given (kind, value)
cross join lateral (
    select * from push_token t
    where t.org_id = %(org_id)s and t.token = given.value and t.kind = given.kind
    order by t.token_id
    offset 0
    for no key update
) as t;

-- name: insert_tokens
insert into push_token (org_id, contact_id, kind, app_id, token, active, device)
select %(org_id)s, contact_id, kind, coalesce(app_id, ''), token, active, device
from unnest(
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(kinds)s, E'\x1f', E'\x1e'),
    string_to_array(%(app_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(values)s, E'\x1f', E'\x1e'),
    string_to_array(%(active)s, E'\x1f', E'\x1e')::boolean[],
    string_to_array(%(devices)s, E'\x1f', E'\x1e')::jsonb[]
) as given (contact_id, kind, app_id, token, active, device)
order by kind, app_id, token;

-- name: move_tokens
-- A token, locked before, goes to its last user. What the caller does not say about the device stays known.
update push_token t
set contact_id = given.contact_id, app_id = coalesce(given.app_id, t.app_id), active = given.active,
    device = t.device || given.device, updated_at = statement_timestamp()
from unnest(
    string_to_array(%(token_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(app_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(active)s, E'\x1f', E'\x1e')::boolean[],
    string_to_array(%(devices)s, E'\x1f', E'\x1e')::jsonb[]
) as given (token_id, contact_id, app_id, active, device)
where t.org_id = %(org_id)s and t.token_id = given.token_id;

-- name: drop_tokens
delete from push_token
where org_id = %(org_id)s and kind = %(kind)s
  and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]);

-- name: join_segments
insert into segment_member (org_id, segment_id, contact_id)
select %(org_id)s, segment_id, contact_id
from unnest(
    string_to_array(%(segment_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]
) as given (segment_id, contact_id)
order by segment_id, contact_id
on conflict (org_id, segment_id, contact_id) do nothing;

-- name: leave_segments
delete from segment_member
where org_id = %(org_id)s
  and segment_id in (
    select segment_id from segment where org_id = %(org_id)s and kind = 'static' and name = any(%(names)s::text[])
  )
  and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]);

-- name: unsubscribe_addresses
-- Marks addresses, known or not, and logs each change once; what was marked before comes back not.
with wanted as (
    select distinct on (kind, value) * from unnest(
        %(kinds)s::text[], %(values)s::text[], %(contacts)s::bigint[], %(sources)s::text[], %(reasons)s::text[],
        %(sends)s::bigint[], %(details)s::text[]) as w (kind, value, contact_id, source, reason, send_id, detail)
    order by kind, value
), marked as (
    insert into address as a (org_id, kind, value, unsubscribed_at, unsubscribe_source, unsubscribe_reason)
    select %(org_id)s, kind, value, clock_timestamp(), source, reason from wanted order by kind, value
    on conflict (org_id, kind, value) do update
        set unsubscribed_at = excluded.unsubscribed_at, unsubscribe_source = excluded.unsubscribe_source,
            unsubscribe_reason = excluded.unsubscribe_reason
        where a.unsubscribed_at is null
    returning a.kind, a.value
), logged as (
    insert into consent_log (org_id, kind, value, contact_id, action, source, reason, send_id, detail)
    select %(org_id)s, w.kind, w.value, w.contact_id, 'unsubscribed', w.source, w.reason, w.send_id, w.detail::jsonb
    from marked m join wanted w using (kind, value)
)
select kind, value from marked

-- name: resubscribe_addresses
-- Takes the mark off; who did it is kept.
with marked as (
    update address set unsubscribed_at = null, unsubscribe_source = null, unsubscribe_reason = null
    where org_id = %(org_id)s and kind = %(kind)s and value = any(%(values)s::text[]) and unsubscribed_at is not null
    returning kind, value
), logged as (
    insert into consent_log (org_id, kind, value, action, source)
    select %(org_id)s, kind, value, 'resubscribed', %(source)s from marked
)
select kind, value from marked

-- name: field_definitions
-- One row per field, or one without a field; each with the organisation's time zone, in which values are read.
select o.time_zone, f.field_id, f.type, f.choices, f.min_value, f.max_value
from organisation o
left join field f on f.org_id = o.org_id
where o.org_id = %(org_id)s;

-- name: field_groups
select g.group_id, g.name as group_name, g.key as group_key, f.field_id, coalesce(f.name, '') as name,
       coalesce(f.key, '') as key, coalesce(f.type, '') as type, f.choices, f.min_value as low, f.max_value as high,
       coalesce(f.required, false) as required, coalesce(f.readonly, false) as readonly
from field_group g
left join field f on f.org_id = g.org_id and f.group_id = g.group_id
where g.org_id = %(org_id)s
order by g.group_id, f.position, f.field_id;

-- name: insert_field_group
insert into field_group (org_id, name, key) values (%(org_id)s, %(name)s, %(key)s)
on conflict (org_id, key) do nothing
returning group_id;

-- name: insert_fields
-- `choices` holds one JSON list per field: arrays of arrays must be of one length. Positions follow the stored ones.
insert into field (org_id, group_id, name, key, type, choices, min_value, max_value, position)
select %(org_id)s, %(group_id)s, name, key, type,
       case when choices = '[]' then null
            else array(select jsonb_array_elements_text(choices)) end,
       low, high,
       n + (select coalesce(max(position), 0) from field where org_id = %(org_id)s and group_id = %(group_id)s)
from unnest(
    %(names)s::text[], %(keys)s::text[], %(types)s::text[], %(choices)s::jsonb[], %(lows)s::numeric[],
    %(highs)s::numeric[]
) with ordinality as given (name, key, type, choices, low, high, n)
order by n
on conflict (org_id, group_id, key) do nothing
returning field_id;

-- name: has_field
select exists (select from field where org_id = %(org_id)s and field_id = %(field_id)s);

-- name: insert_import
insert into contact_import (org_id, session_id, source, options, payload, total, failures)
values (%(org_id)s, %(session_id)s, %(source)s, %(options)s::jsonb, %(payload)s, %(total)s, %(failures)s::jsonb);

-- name: begin_import
-- Says that the import is being applied, unless it is through already.
update contact_import set status = 'IMPORTING', updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s and status in ('STARTED', 'IMPORTING')
returning true;

-- name: lock_import
-- The rows to apply; a second worker on the same import waits here and then finds it done.
select source, options, payload
from contact_import
where org_id = %(org_id)s and session_id = %(session_id)s and status = 'IMPORTING'
for update;

-- name: finish_import
update contact_import
set status = 'FINISHED', payload = null, created = %(created)s, updated = %(updated)s, skipped = %(skipped)s,
    failures = failures || %(failures)s::jsonb, mapping = %(mapping)s, description = %(description)s, updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: fail_import
update contact_import set status = 'ERROR', payload = null, description = %(description)s, updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s and status in ('STARTED', 'IMPORTING');

-- name: import_state
select i.status, i.updated_at, i.description, i.mapping, i.failures
from contact_import i
where i.org_id = %(org_id)s and i.session_id = %(session_id)s;

-- name: double_opt_in
select coalesce(settings ->> 'double_opt_in', 'true') = 'true' from organisation where org_id = %(org_id)s;

-- name: category_segments
select key, segment_id from subscription_category where org_id = %(org_id)s and key = any(%(keys)s::text[]);

-- name: email_states
-- The email of each contact with its state; all false where it has none.
select c.contact_id, c.email, coalesce(a.confirmed, false), a.unsubscribed_at is not null or a.complained_at is not null,
       a.blacklisted_at is not null
from contact c
left join address a on a.org_id = %(org_id)s and a.kind = 'email' and a.value = c.email
where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]);

-- name: join_categories
-- A category is a list; who joins is noted in the consent log.
with joined as (
    insert into segment_member (org_id, segment_id, contact_id)
    select %(org_id)s, segment_id, contact_id
    from unnest(%(segment_ids)s::bigint[], %(contact_ids)s::bigint[]) as given (segment_id, contact_id)
    order by segment_id, contact_id
    on conflict (org_id, segment_id, contact_id) do nothing
    returning segment_id, contact_id
)
insert into consent_log (org_id, kind, value, contact_id, action, source)
select %(org_id)s, 'category', s.key, joined.contact_id, 'subscribed', 'form'
from joined
join subscription_category s on s.org_id = %(org_id)s and s.segment_id = joined.segment_id;

-- name: read_contacts
-- Living contacts in the order of the ids given, the email as its owner spells it.
select c.contact_id, c.external_id, coalesce(a.spelling, c.email) as email, c.phone, c.first_name, c.last_name,
       c.contact_key, c.language, c.time_zone, c.region, c.town, c.street, c.postcode, c.fields::text as fields,
       c.orders_info, c.source, c.created_at, c.updated_at
from unnest(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]) with ordinality as given (contact_id, n)
cross join lateral (
    select * from contact c
    where c.org_id = %(org_id)s and c.contact_id = given.contact_id and c.deleted_at is null
    offset 0
) as c
left join lateral (
    select a.spelling from address a
    where a.org_id = %(org_id)s and a.kind = 'email' and a.value = c.email
    offset 0
) as a on true
order by given.n;

-- name: read_tokens
select contact_id, kind, app_id, token, active, device
from push_token
where org_id = %(org_id)s and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[])
order by contact_id, token_id;

-- name: read_lists
select m.contact_id, s.segment_id, s.name
from segment_member m
join segment s on s.org_id = %(org_id)s and s.segment_id = m.segment_id and s.kind = 'static'
where m.org_id = %(org_id)s
  and m.contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[])
order by m.contact_id, s.segment_id;

-- name: emails_by_ids
select c.contact_id, coalesce(a.spelling, c.email)
from contact c
left join address a on a.org_id = %(org_id)s and a.kind = 'email' and a.value = c.email
where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]) and c.deleted_at is null
  and c.email is not null
order by c.contact_id;

-- name: search_contacts
-- Planned for the values given, so the filter that is there finds its index. Last updated first, from behind a key.
select c.updated_at, c.contact_id
from contact c
where c.org_id = %(org_id)s and c.deleted_at is null
  and (%(external_id)s::text is null or c.external_id = %(external_id)s)
  and (%(email)s::text is null or c.email = %(email)s)
  and (%(phone)s::text is null or c.phone = %(phone)s)
  and (%(first_name)s::text is null or starts_with(lower(c.first_name) collate "C", lower(%(first_name)s)))
  and (%(last_name)s::text is null or starts_with(lower(c.last_name) collate "C", lower(%(last_name)s)))
  and (%(key_time)s::timestamptz is null or (c.updated_at, c.contact_id) < (%(key_time)s, %(key_id)s::bigint))
order by c.updated_at desc, c.contact_id desc
limit %(rows)s offset %(skip)s;

-- name: search_few_contacts
-- The same where at most `most` people have the name: found by the name, then put in order. One row at least, with the
-- number of hits, which is `most` + 1 when there are more; then no keys come.
with found as materialized (
    select c.updated_at, c.contact_id
    from contact c
    where c.org_id = %(org_id)s and c.deleted_at is null
      and (%(email)s::text is null or c.email = %(email)s)
      and (%(phone)s::text is null or c.phone = %(phone)s)
      and (%(first_name)s::text is null or starts_with(lower(c.first_name) collate "C", lower(%(first_name)s)))
      and (%(last_name)s::text is null or starts_with(lower(c.last_name) collate "C", lower(%(last_name)s)))
    limit %(most)s + 1
)
select counted.hits, page.updated_at, page.contact_id
from (select count(*) as hits from found) counted
left join lateral (
    select updated_at, contact_id from found
    where counted.hits <= %(most)s
      and (%(key_time)s::timestamptz is null or (updated_at, contact_id) < (%(key_time)s, %(key_id)s::bigint))
    order by updated_at desc, contact_id desc
    limit %(rows)s offset %(skip)s
) page on true;

-- name: count_contacts
select count(*)
from contact c
where c.org_id = %(org_id)s and c.deleted_at is null
  and (%(external_id)s::text is null or c.external_id = %(external_id)s)
  and (%(email)s::text is null or c.email = %(email)s)
  and (%(phone)s::text is null or c.phone = %(phone)s)
  and (%(first_name)s::text is null or starts_with(lower(c.first_name) collate "C", lower(%(first_name)s)))
  and (%(last_name)s::text is null or starts_with(lower(c.last_name) collate "C", lower(%(last_name)s)));

-- name: living_contacts
select coalesce(sum(delta), 0)::bigint from contact_tally where org_id = %(org_id)s;

-- name: fold_contact_tally
-- across organisations: housekeeping. One row an organisation again; sums do not change.
with gone as (
    delete from contact_tally
    where org_id in (select org_id from contact_tally group by org_id having count(*) > 1)
    returning org_id, delta
)
insert into contact_tally select org_id, sum(delta) from gone group by org_id;

-- name: list_contacts
-- All living contacts by id, from behind one.
select null::timestamptz, contact_id from contact
where org_id = %(org_id)s and deleted_at is null and contact_id > %(key_id)s
order by contact_id
limit %(rows)s offset %(skip)s;

-- name: ids_by_external
-- Deleted contacts too.
select contact_id, external_id from contact
where org_id = %(org_id)s and external_id = any(%(external_ids)s::text[]);

-- name: delete_contacts
-- Softly: an import or an update may bring them back. Those deleted before are named again: the wish is fulfilled.
update contact
set deleted_at = coalesce(deleted_at, statement_timestamp()),
    updated_at = case when deleted_at is null then statement_timestamp() else updated_at end,
    delete_reason = coalesce(%(reason)s, case when deleted_at is not null then delete_reason end)
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
returning contact_id;

-- name: restore_contacts
update contact set deleted_at = null, delete_reason = null, updated_at = statement_timestamp()
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]) and deleted_at is not null
returning contact_id;

-- name: deleted_contacts
-- By id, from behind `after`; walks the index of the deleted.
select c.contact_id, c.external_id, c.email, c.phone, c.first_name, c.last_name, c.deleted_at, c.delete_reason
from contact c
where c.org_id = %(org_id)s and c.deleted_at is not null and c.contact_id > %(after)s
order by c.contact_id
limit %(rows)s;

-- name: long_deleted
-- across organisations: housekeeping; upkeep goes on from there one organisation at a time.
select org_id, array_agg(contact_id order by contact_id) from (
    select org_id, contact_id from contact
    where deleted_at is not null and deleted_at < now() - make_interval(days => %(days)s)
    limit %(rows)s
) due
group by org_id;

-- name: find_token
select t.contact_id, t.active
from push_token t
join contact c on c.org_id = %(org_id)s and c.contact_id = t.contact_id and c.deleted_at is null
where t.org_id = %(org_id)s and t.token = %(token)s and t.kind = 'mobilepush' and t.app_id in (%(app_id)s, '')
order by t.app_id = %(app_id)s desc
limit 1;

-- name: set_token_active
-- Writes only what changes; a row comes back for a known token either way.
with known as (
    select token_id, active, contact_id
    from push_token
    where org_id = %(org_id)s and token = %(token)s and kind = 'mobilepush' and app_id in (%(app_id)s, '')
    order by app_id = %(app_id)s desc
    limit 1
), changed as (
    update push_token t set active = %(active)s, updated_at = now()
    from known
    where t.org_id = %(org_id)s and t.token_id = known.token_id and t.active <> %(active)s
)
select contact_id from known;

-- name: find_contacts_after
-- As `search_contacts` for equal values, by id.
select contact_id from contact c
where c.org_id = %(org_id)s and c.deleted_at is null and c.contact_id > %(after)s
  and (%(external_id)s::text is null or c.external_id = %(external_id)s)
  and (%(email)s::text is null or c.email = %(email)s)
  and (%(phone)s::text is null or c.phone = %(phone)s)
order by c.contact_id
limit %(rows)s;

-- name: address_states
select c.contact_id, a.kind, coalesce(a.spelling, a.value), a.confirmed, a.unsubscribed_at, a.complained_at,
       a.blacklisted_at, a.blocked_until
from contact c
join address a on a.org_id = %(org_id)s
    and ((a.kind = 'email' and a.value = c.email) or (a.kind = 'phone' and a.value = c.phone))
where c.org_id = %(org_id)s
  and c.contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]);

-- name: prune_imports
-- across organisations: a month after its end nobody asks for an import any more, and its mapping names people.
delete from contact_import where status in ('FINISHED', 'ERROR') and updated_at < now() - interval '30 days'
