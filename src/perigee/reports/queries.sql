-- name: settled_until
-- across organisations: reads no table
-- The moment before which every row of `activity` is committed: that of the oldest transaction that is writing there
-- now, else the beginning of this statement. A writer locks the table before it takes the row's time, and that time is
-- never before its transaction began, so nothing can turn up behind a cursor later.
select least(statement_timestamp(), min(a.xact_start))
from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'relation' and l.relation = 'activity'::regclass and l.mode = 'RowExclusiveLock'
  and l.database = (select oid from pg_database where datname = current_database()) and l.pid <> pg_backend_pid();

-- name: plan_in_order
-- across organisations: reads no table
-- For the rest of the transaction: pages are read along an index, never gathered and sorted. The planner guesses that few
-- rows pass the conditions and would read months of them (measured: 60 ms instead of 0.5 for a page of 280,000 rows).
-- Conditions that a call does not use fold away, and the partial index by status is found, only where it sees the values.
select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_sort', 'off', true),
       set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true);

-- name: activity
-- A page forward in time: what happened after the cursor. Hits of machines and rows of erased people are left out.
select a.at, a.activity_id, a.send_id, a.ordinal, a.contact_id, a.channel, a.status, a.detail, a.meta
from activity a
where a.org_id = %(org_id)s and a.at >= %(after_at)s and a.at < %(until)s
  and (a.at, a.activity_id) > (%(after_at)s, %(after_id)s)
  and (%(status)s::text is null or a.status = %(status)s)
  and (%(sends)s::bigint[] is null or a.send_id = any(%(sends)s))
  and a.contact_id <> 0 and coalesce(a.meta ->> 'machine', '') = ''
order by a.at, a.activity_id limit %(rows)s;

-- name: activity_of_contacts
-- The same for a few people: their rows by their own index, all of them, whatever the planner thinks of the limit; of one
-- address where it is named. What went to another address of theirs stays out; where the ledger has no address, the one
-- they have now counts.
with theirs as materialized (
    select at, activity_id, send_id, ordinal, contact_id, channel, status, detail, meta
    from activity
    where org_id = %(org_id)s and contact_id = any(%(contacts)s::bigint[])
      and at >= %(after_at)s and at < %(until)s and channel = any(%(channels)s::text[])
      and (%(status)s::text is null or status = %(status)s)
      and (%(sends)s::bigint[] is null or send_id = any(%(sends)s))
      and coalesce(meta ->> 'machine', '') = ''
)
select a.at, a.activity_id, a.send_id, a.ordinal, a.contact_id, a.channel, a.status, a.detail, a.meta
from theirs a
left join lateral (
    select started_at from send where org_id = %(org_id)s and send_id = a.send_id offset 0
) s on true
left join lateral (
    select address from delivery
    where org_id = %(org_id)s and send_started_at = s.started_at and send_id = a.send_id
      and ordinal = a.ordinal offset 0
) d on true
left join lateral (
    select email, phone from contact where org_id = %(org_id)s and contact_id = a.contact_id offset 0
) c on true
where (a.at, a.activity_id) > (%(after_at)s, %(after_id)s)
  and coalesce(d.address, case when a.channel = 'email' then c.email else c.phone end) = %(address)s
order by a.at, a.activity_id limit %(rows)s;

-- name: contacts_of_address
-- Who has this address or token, or was written to at it.
select contact_id from contact where org_id = %(org_id)s and email = %(email)s
union
select contact_id from contact where org_id = %(org_id)s and phone = %(phone)s
union
select contact_id from push_token where org_id = %(org_id)s and token = %(token)s
union
select contact_id from delivery where org_id = %(org_id)s and address = %(address)s and contact_id <> 0;

-- name: sends_with_tag
-- With the moment when the first began: nothing can have happened before.
select array_agg(send_id), min(started_at)
from send where org_id = %(org_id)s and tags @> array[%(tag)s]::text[] and started_at < %(until)s
  and started_at > '2000-01-01 00:00+00';

-- name: describe_sends
select send_id, started_at, kind, campaign_id, message_id, message_name, tags, sender, channel
from send where org_id = %(org_id)s and send_id = any(%(send_ids)s::bigint[]);

-- name: describe_messages
-- What the ledger and the callers say of messages, each looked up by its whole key.
select d.address, d.language, r.external_request_id
from unnest(string_to_array(%(sends)s, E'\x1f')::bigint[], string_to_array(%(ordinals)s, E'\x1f')::int[])
     with ordinality as m (send_id, ordinal, n)
left join lateral (
    select s.started_at from send s where s.org_id = %(org_id)s and s.send_id = m.send_id offset 0
) s on true
left join lateral (
    select d.address, d.language from delivery d
    where d.org_id = %(org_id)s and d.send_started_at = s.started_at and d.send_id = m.send_id
      and d.ordinal = m.ordinal offset 0
) d on true
left join lateral (
    select r.external_request_id from send_recipient r
    where r.org_id = %(org_id)s and r.send_id = m.send_id and r.ordinal = m.ordinal offset 0
) r on true
order by m.n;

-- name: describe_contacts
select contact_id, external_id, email, phone
from contact
where org_id = %(org_id)s and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f')::bigint[]);

-- name: daily_messages
-- Messages sent per day and channel. The counters of the batches are the ledger's sums, committed with its rows; so a
-- send that began and ended on one day needs no look at its rows, and only of those that went over midnight the ledger
-- is read, by its key.
with running as (
    select s.send_id, s.started_at, s.channel, coalesce(sum(b.sent), 0)::bigint as sent,
           (s.started_at at time zone %(zone)s)::date as first_day,
           (case when bool_or(b.done_at is null) then now() else max(b.done_at) end at time zone %(zone)s)::date
               as last_day
    from send s join send_batch b on b.org_id = %(org_id)s and b.send_id = s.send_id
    where s.org_id = %(org_id)s and s.started_at < %(end)s and s.started_at > '2000-01-01 00:00+00'
      and (s.finished_at is null or s.finished_at >= %(start)s::timestamptz - interval '1 day')
    group by s.send_id, s.started_at, s.channel
), counted as (
    select first_day as day, channel, sent from running where first_day = last_day
    union all
    select d.day, r.channel, d.sent
    from running r cross join lateral (
        select (at at time zone %(zone)s)::date as day, count(*) as sent
        from delivery
        where org_id = %(org_id)s and send_started_at = r.started_at and send_id = r.send_id and outcome = 'sent'
        group by 1 offset 0
    ) d
    where r.first_day <> r.last_day
)
select day, channel, sum(sent)::bigint
from counted where day between %(first)s and %(last)s and sent > 0
group by day, channel order by day, channel;

-- name: contacts_by_id
select contact_id from contact where org_id = %(org_id)s and contact_id = %(contact_id)s;

-- name: contacts_by_external_id
select contact_id from contact where org_id = %(org_id)s and external_id = %(external_id)s;

-- name: contacts_by_email
select contact_id from contact where org_id = %(org_id)s and email = %(email)s;

-- name: contacts_by_phone
select contact_id from contact where org_id = %(org_id)s and phone = %(phone)s;

-- name: messages_of_contacts
-- What was sent to these people, the newest first: handed over, refused, or handed over without an answer.
select d.send_started_at, d.send_id, d.ordinal, d.contact_id, d.address, d.outcome, d.language, d.at
from delivery d cross join lateral (
    select s.channel from send s where s.org_id = %(org_id)s and s.send_id = d.send_id offset 0
) s
where d.org_id = %(org_id)s and d.contact_id = any(%(contacts)s::bigint[])
  and d.at >= %(start)s and d.at < %(end)s and d.send_started_at < %(end)s
  and d.outcome in ('sent', 'failed', 'uncertain')
  and (%(channels)s::text[] is null or s.channel = any(%(channels)s))
order by d.at desc, d.send_id desc, d.ordinal desc offset %(skip)s limit %(rows)s;

-- name: happened_to_messages
-- What was recorded of these people's messages since.
select distinct send_id, ordinal, status from activity
where org_id = %(org_id)s and contact_id = any(%(contacts)s::bigint[]) and at >= %(since)s
  and send_id = any(%(sends)s::bigint[]) and status <> 'SUBSCRIPTION_CHANGED'
  and coalesce(meta ->> 'machine', '') = '';

-- name: wordings
-- The one member of each language version that stands for the message in a list, and what its rendering needs.
select s.send_id, v.language,
       coalesce(k.content -> 'versions' -> v.language, k.content -> 'versions' -> (k.content ->> 'default'))
           ->> case s.channel when 'email' then 'subject' else 'text' end,
       coalesce(k.content ->> 'engine', 'liquid'), coalesce((k.content ->> 'personalise')::boolean, true),
       coalesce(k.content -> 'field_keys', '{}'), coalesce(k.content ->> 'name', '')
from unnest(%(sends)s::bigint[], %(languages)s::text[]) as v (send_id, language)
cross join lateral (
    select s.send_id, s.channel, s.content_digest from send s
    where s.org_id = %(org_id)s and s.send_id = v.send_id offset 0
) s
cross join lateral (
    select k.content from send_content k where k.org_id = %(org_id)s and k.digest = s.content_digest offset 0
) k;

-- name: readers
-- The recipients of messages as they are now, and the caller's data about them.
select m.send_id, m.ordinal, r.data, c.contact_id, c.email, c.phone, ae.spelling, c.first_name, c.last_name,
       c.external_id, c.contact_key, c.language, c.time_zone, c.region, c.town, c.street, c.postcode, c.fields
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[]) as m (send_id, ordinal, contact_id)
cross join lateral (select * from contact where org_id = %(org_id)s and contact_id = m.contact_id offset 0) c
left join lateral (
    select spelling from address where org_id = %(org_id)s and kind = 'email' and value = c.email offset 0
) ae on true
left join lateral (
    select data from send_recipient
    where org_id = %(org_id)s and send_id = m.send_id and ordinal = m.ordinal offset 0
) r on true;
