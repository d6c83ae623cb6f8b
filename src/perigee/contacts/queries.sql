-- name: lock_addresses
-- Inserts the new addresses and locks the known ones, in the order given: by kind and value. `confirmed` false makes
-- new addresses wait for their owner; true also ends the waiting of known ones, and says so in the consent log.
with written as (
    insert into address as a (org_id, kind, value, spelling, confirmed)
    select %(org_id)s, kind, value, spelling, %(confirmed)s or kind <> 'email'
    from unnest(
        string_to_array(%(kinds)s, E'\x1f', E'\x1e'),
        string_to_array(%(values)s, E'\x1f', E'\x1e'),
        string_to_array(%(spellings)s, E'\x1f', E'\x1e')
    ) as given (kind, value, spelling)
    on conflict (org_id, kind, value) do update set confirmed = true where excluded.confirmed and not a.confirmed
    returning kind, value, xmax <> 0 as known
)
insert into consent_log (org_id, kind, value, action, source)
select %(org_id)s, kind, value, 'confirmed', %(source)s from written where known;

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

-- name: plan_freely
-- Ends `db.plans.by_key` before the transaction does, for a statement that must read a whole table.
select set_config('plan_cache_mode', 'auto', true), set_config('enable_seqscan', 'on', true);

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
-- A missing value leaves the column as it is, the sign E'\x1d' clears it, a kept column is only filled. A contact
-- that would stay as it is is not written: a shop's daily export must not rewrite every row. Restores the deleted.
update contact as c
set external_id = case when %(keep_external_id)s then coalesce(c.external_id, nullif(u.external_id, E'\x1d'))
                       else nullif(coalesce(u.external_id, c.external_id), E'\x1d') end,
    email = case when %(keep_email)s then coalesce(c.email, nullif(u.email, E'\x1d'))
                 else nullif(coalesce(u.email, c.email), E'\x1d') end,
    phone = case when %(keep_phone)s then coalesce(c.phone, nullif(u.phone, E'\x1d'))
                 else nullif(coalesce(u.phone, c.phone), E'\x1d') end,
    first_name = nullif(coalesce(u.first_name, c.first_name), E'\x1d'),
    last_name = nullif(coalesce(u.last_name, c.last_name), E'\x1d'),
    contact_key = nullif(coalesce(u.contact_key, c.contact_key), E'\x1d'),
    language = nullif(coalesce(u.language, c.language), E'\x1d'),
    time_zone = nullif(coalesce(u.time_zone, c.time_zone), E'\x1d'),
    region = nullif(coalesce(u.region, c.region), E'\x1d'),
    town = nullif(coalesce(u.town, c.town), E'\x1d'),
    street = nullif(coalesce(u.street, c.street), E'\x1d'),
    postcode = nullif(coalesce(u.postcode, c.postcode), E'\x1d'),
    fields = (c.fields - coalesce(string_to_array(u.removed, ','), '{}')) || coalesce(u.fields, '{}'),
    orders_info = nullif(coalesce(u.orders_info, c.orders_info), 'null'),
    deleted_at = null,
    updated_at = statement_timestamp()
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
    string_to_array(%(removed)s, E'\x1f', E'\x1e'),
    string_to_array(%(forced)s, E'\x1f', E'\x1e')::boolean[]
) as u (
    contact_id, external_id, email, phone, first_name, last_name, contact_key, language, time_zone,
    region, town, street, postcode, fields, orders_info, removed, forced
)
where c.org_id = %(org_id)s and c.contact_id = u.contact_id
  and (
    u.forced or c.deleted_at is not null
    or (%(keep_external_id)s and c.external_id is null and u.external_id <> E'\x1d')
    or (not %(keep_external_id)s and u.external_id <> coalesce(c.external_id, E'\x1d'))
    or (%(keep_email)s and c.email is null and u.email <> E'\x1d')
    or (not %(keep_email)s and u.email <> coalesce(c.email, E'\x1d'))
    or (%(keep_phone)s and c.phone is null and u.phone <> E'\x1d')
    or (not %(keep_phone)s and u.phone <> coalesce(c.phone, E'\x1d'))
    or u.first_name <> coalesce(c.first_name, E'\x1d')
    or u.last_name <> coalesce(c.last_name, E'\x1d')
    or u.contact_key <> coalesce(c.contact_key, E'\x1d')
    or u.language <> coalesce(c.language, E'\x1d')
    or u.time_zone <> coalesce(c.time_zone, E'\x1d')
    or u.region <> coalesce(c.region, E'\x1d')
    or u.town <> coalesce(c.town, E'\x1d')
    or u.street <> coalesce(c.street, E'\x1d')
    or u.postcode <> coalesce(c.postcode, E'\x1d')
    or u.orders_info <> coalesce(c.orders_info, 'null')
    or ((u.fields is not null or u.removed is not null)
        and (c.fields - coalesce(string_to_array(u.removed, ','), '{}')) || coalesce(u.fields, '{}') <> c.fields)
  );

-- name: lock_tokens
-- The stored tokens of these kinds and values, of whatever application, in one order.
select t.token_id, t.kind, t.app_id, t.token, t.contact_id
from unnest(
    string_to_array(%(kinds)s, E'\x1f', E'\x1e'),
    string_to_array(%(values)s, E'\x1f', E'\x1e')
) as given (kind, value)
join push_token t on t.org_id = %(org_id)s and t.token = given.value and t.kind = given.kind
order by t.token_id
for update of t;

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
-- A token goes to its last user. What the caller does not say about the device stays known.
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
where org_id = %(org_id)s and segment_id = any(%(segment_ids)s::bigint[])
  and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]);

-- name: unsubscribe_addresses
-- Marks addresses, known or not, and logs each change once; what was marked before comes back not.
with wanted as (
    select distinct on (kind, value) * from unnest(
        %(kinds)s::text[], %(values)s::text[], %(contacts)s::bigint[], %(sources)s::text[], %(reasons)s::text[],
        %(sends)s::bigint[]) as w (kind, value, contact_id, source, reason, send_id)
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
    insert into consent_log (org_id, kind, value, contact_id, action, source, reason, send_id)
    select %(org_id)s, w.kind, w.value, w.contact_id, 'unsubscribed', w.source, w.reason, w.send_id
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
