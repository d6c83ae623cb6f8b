-- name: locate_reports
-- The messages that reports are about, as the ledger knows them; a report whose message is not in it yet has no row.
-- What is uncertain has no address in the ledger: the contact's present one stands for it.
select r.n, m.send_id, m.ordinal, coalesce(p.parts, 1), s.started_at, s.channel, d.contact_id, d.outcome,
       coalesce(d.address, (
           select case s.channel when 'email' then c.email else c.phone end from contact c
           where c.org_id = %(org_id)s and c.contact_id = d.contact_id and s.channel in ('email', 'sms', 'viber')
       ))
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(providers)s::bigint[], %(messages)s::text[])
     with ordinality as r (send_id, ordinal, provider_id, message_id, n)
left join lateral (
    select send_id, ordinal, parts from provider_message
    where org_id = %(org_id)s and provider_id = r.provider_id and message_id = r.message_id offset 0
) p on true
cross join lateral (
    select coalesce(p.send_id, r.send_id) as send_id, coalesce(p.ordinal, r.ordinal) as ordinal offset 0
) m
cross join lateral (
    select started_at, channel from send where org_id = %(org_id)s and send_id = m.send_id offset 0
) s
cross join lateral (
    select contact_id, address, outcome from delivery
    where org_id = %(org_id)s and send_started_at = s.started_at and send_id = m.send_id and ordinal = m.ordinal
    offset 0
) d
order by r.n

-- name: keep_waiting
insert into waiting_report (org_id, provider_id, message_id, send_id, ordinal, type, at, reason, detail, event_id)
select %(org_id)s, r.* from unnest(
    %(providers)s::bigint[], %(messages)s::text[], %(sends)s::bigint[], %(ordinals)s::int[], %(types)s::text[],
    %(ats)s::timestamptz[], %(reasons)s::text[], %(texts)s::text[], %(keys)s::text[]) as r

-- name: lock_parts
-- Whoever reports another part of the same message waits, so that the last one sees that it is the last.
select 1 from provider_message p
where p.org_id = %(org_id)s and p.parts > 1 and (p.send_id, p.ordinal) in (
    select * from unnest(%(sends)s::bigint[], %(ordinals)s::int[]))
order by p.provider_id, p.message_id for update

-- name: deliver_parts
update provider_message p set delivered_at = now()
from unnest(%(providers)s::bigint[], %(messages)s::text[]) as r (provider_id, message_id)
where p.org_id = %(org_id)s and p.provider_id = r.provider_id and p.message_id = r.message_id
  and p.delivered_at is null

-- name: whole_messages
-- Of these messages, those that have all their parts delivered.
select p.send_id, p.ordinal from provider_message p
where p.org_id = %(org_id)s and p.parts > 1 and (p.send_id, p.ordinal) in (
    select * from unnest(%(sends)s::bigint[], %(ordinals)s::int[]))
group by 1, 2, p.parts having count(p.delivered_at) >= p.parts

-- name: count_reports
-- Those that were not counted before, by their number.
with given as (
    select * from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(types)s::text[], %(keys)s::text[])
        with ordinality as g (send_id, ordinal, type, event_id, n)
), counted as (
    insert into delivery_report (org_id, send_id, ordinal, type, event_id)
    select %(org_id)s, send_id, ordinal, type, event_id from given order by 2, 3, 4, 5
    on conflict do nothing
    returning send_id, ordinal, type, event_id
)
select min(n) from given join counted using (send_id, ordinal, type, event_id) group by send_id, ordinal, type, event_id

-- name: resolve_uncertain
-- A report proves what became of a message whose answer was lost. The batch it ended in (the last that holds it) counts
-- along, so that the books still add up. Returns the messages that were resolved.
with given as (
    select distinct on (send_id, ordinal) * from unnest(
        %(sends)s::bigint[], %(ordinals)s::int[], %(starts)s::timestamptz[], %(outcomes)s::text[],
        %(reasons)s::text[], %(texts)s::text[]) as g (send_id, ordinal, started_at, outcome, reason, text)
    order by send_id, ordinal, outcome = 'failed'
), resolved as (
    update delivery d set outcome = g.outcome, reason = g.reason, provider_text = g.text
    from given g
    where d.org_id = %(org_id)s and d.send_started_at = g.started_at and d.send_id = g.send_id
      and d.ordinal = g.ordinal and d.outcome = 'uncertain'
    returning d.send_id, d.ordinal, d.outcome
), counted as (
    select r.send_id, b.batch_no, count(*) filter (where r.outcome = 'sent') as sent,
           count(*) filter (where r.outcome = 'failed') as failed
    from resolved r cross join lateral (
        select batch_no from send_batch
        where org_id = %(org_id)s and send_id = r.send_id and uncertain > 0 and r.ordinal = any(ordinals)
        order by batch_no desc limit 1
    ) b
    group by 1, 2
), booked as (
    update send_batch b
    set uncertain = b.uncertain - c.sent - c.failed, sent = b.sent + c.sent, failed = b.failed + c.failed
    from counted c
    where b.org_id = %(org_id)s and b.send_id = c.send_id and b.batch_no = c.batch_no
)
select send_id, ordinal from resolved

-- name: record_reports
-- As `record_hits` of the package above. A delivery that was recorded when the provider took the message is none again.
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail)
select %(org_id)s, greatest(r.at, now()), r.send_id, r.ordinal, r.contact_id, r.channel, r.status, r.detail
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[], %(channels)s::text[],
            %(statuses)s::text[], %(texts)s::text[], %(ats)s::timestamptz[], %(starts)s::timestamptz[])
     as r (send_id, ordinal, contact_id, channel, status, detail, at, started_at)
where r.status not in ('SENT', 'DELIVERED') or r.contact_id = 0 or not exists (
    select from activity a
    where a.org_id = %(org_id)s and a.contact_id = r.contact_id and a.at >= r.started_at
      and a.send_id = r.send_id and a.ordinal = r.ordinal and a.status in (r.status, 'DELIVERED')
    offset 0
)

-- name: note_late
insert into late_bounce (org_id, send_id, ordinal, reason)
select %(org_id)s, * from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(reasons)s::text[])
on conflict do nothing

-- name: mark_complained
-- Once; what was marked before is logged no more.
with given as (
    select distinct on (kind, value) * from unnest(
        %(kinds)s::text[], %(values)s::text[], %(contacts)s::bigint[], %(sends)s::bigint[], %(texts)s::text[])
        as g (kind, value, contact_id, send_id, text)
    order by kind, value
), marked as (
    update address a set complained_at = now() from given g
    where a.org_id = %(org_id)s and a.kind = g.kind and a.value = g.value and a.complained_at is null
    returning a.kind, a.value
)
insert into consent_log (org_id, kind, value, contact_id, action, source, reason, send_id)
select %(org_id)s, g.kind, g.value, g.contact_id, 'complained', 'provider', g.text, g.send_id
from marked join given g using (kind, value)

-- name: waiting_organisations
-- across organisations: whose waiting reports found their message; upkeep goes on from there one by one.
select distinct w.org_id from waiting_report w
left join lateral (
    select send_id, ordinal from provider_message
    where org_id = w.org_id and provider_id = w.provider_id and message_id = w.message_id offset 0
) p on true
cross join lateral (
    select started_at from send where org_id = w.org_id and send_id = coalesce(p.send_id, w.send_id) offset 0
) s
where exists (
    select from delivery
    where org_id = w.org_id and send_started_at = s.started_at and send_id = coalesce(p.send_id, w.send_id)
      and ordinal = coalesce(p.ordinal, w.ordinal) offset 0
)

-- name: take_waiting
delete from waiting_report w using (
    select w.waiting_id from waiting_report w
    left join lateral (
        select send_id, ordinal from provider_message
        where org_id = %(org_id)s and provider_id = w.provider_id and message_id = w.message_id offset 0
    ) p on true
    cross join lateral (
        select started_at from send where org_id = %(org_id)s and send_id = coalesce(p.send_id, w.send_id) offset 0
    ) s
    where w.org_id = %(org_id)s and exists (
        select from delivery
        where org_id = %(org_id)s and send_started_at = s.started_at and send_id = coalesce(p.send_id, w.send_id)
          and ordinal = coalesce(p.ordinal, w.ordinal) offset 0
    )
    limit 5000 for update of w skip locked
) found
where w.org_id = %(org_id)s and w.waiting_id = found.waiting_id
returning w.type, w.at, w.send_id, w.ordinal, w.provider_id, w.message_id, w.reason, coalesce(w.detail, ''),
          w.event_id

-- name: prune_waiting
-- across organisations: nobody's message after a day.
delete from waiting_report where received_at < now() - interval '24 hours'

-- name: prune_messages
-- across organisations: receipts come within days.
delete from provider_message where at < now() - make_interval(days => %(days)s)

-- name: prune_reports
-- across organisations: as long as a provider may repeat one.
delete from delivery_report where at < now() - make_interval(days => %(days)s)
