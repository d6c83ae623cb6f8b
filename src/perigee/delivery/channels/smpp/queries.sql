-- name: keep_strays
-- Of numbers that nobody has, nothing is kept.
insert into smpp_stray (org_id, provider_id, message_id, contact_id, type, reason, detail)
select %(org_id)s, s.provider_id, s.message_id, c.contact_id, s.type, s.reason, s.detail
from unnest(%(providers)s::bigint[], %(messages)s::text[], %(phones)s::text[], %(types)s::text[], %(reasons)s::text[],
            %(details)s::text[]) as s (provider_id, message_id, phone, type, reason, detail)
cross join lateral (
    select contact_id from contact where org_id = %(org_id)s and phone = s.phone and deleted_at is null
    order by contact_id limit 1
) c

-- name: stray_organisations
-- across organisations: those with receipts that are old enough.
select distinct org_id from smpp_stray where received_at < now() - make_interval(secs => %(wait)s)

-- name: take_strays
-- Confessed side effect: deletes what it returns and what has found its message, or none, for three days. A stray is
-- returned when its contact has exactly one uncertain SMS, begun before it came.
with due as (
    select s.*, exists (select from provider_message p where p.org_id = %(org_id)s
                        and p.provider_id = s.provider_id and p.message_id = s.message_id) as known
    from smpp_stray s
    where s.org_id = %(org_id)s and s.received_at < now() - make_interval(secs => %(wait)s)
    order by s.stray_id limit 1000
    for update skip locked
), found as (
    select d.stray_id, min(u.send_id) as send_id, min(u.ordinal) as ordinal
    from due d
    cross join lateral (
        select x.send_id, x.ordinal, x.send_started_at from delivery x
        where x.org_id = %(org_id)s and x.contact_id = d.contact_id and x.outcome = 'uncertain'
          and x.at > now() - interval '7 days'
        offset 0
    ) u
    join send o on o.org_id = %(org_id)s and o.send_id = u.send_id and o.channel = 'sms'
    where not d.known and o.started_at < d.received_at
    group by d.stray_id having count(*) = 1
), gone as (
    delete from smpp_stray s using due d
    where s.org_id = %(org_id)s and s.stray_id = d.stray_id
      and (d.known or d.received_at < now() - interval '3 days'
           or exists (select from found f where f.stray_id = d.stray_id))
)
select d.type, d.received_at, f.send_id, f.ordinal, d.reason, d.detail
from found f join due d using (stray_id) order by d.stray_id

-- name: last_messages
-- The last SMS to each number, of those that went out in a month.
select w.phone, m.contact_id, m.send_id, m.ordinal
from unnest(%(phones)s::text[]) as w (phone)
cross join lateral (
    select d.contact_id, d.send_id, d.ordinal
    from delivery d
    join send s on s.org_id = %(org_id)s and s.send_id = d.send_id and s.channel = 'sms'
    where d.org_id = %(org_id)s and d.address = w.phone and d.send_started_at > now() - interval '30 days'
      and d.outcome in ('sent', 'uncertain')
    order by d.send_started_at desc, d.send_id desc limit 1
) m
