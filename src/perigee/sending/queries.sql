-- name: find_contacts
-- The living contact of each recipient, by the one key that it is named by; of several with one address the one that
-- was updated last. Null where there is none. Looked up by the whole key and nothing else (db/plans.py).
select given.n, found.contact_id
from unnest(
    string_to_array(%(kinds)s, E'\x1f'), string_to_array(%(values)s, E'\x1f')
) with ordinality as given (kind, value, n)
left join lateral (
    select one.contact_id from (
        (select c.contact_id from (
             select contact_id, deleted_at from contact
             where org_id = %(org_id)s and given.kind = 'contact'
               and contact_id = case when given.kind = 'contact' then given.value::bigint end offset 0
         ) c where c.deleted_at is null)
        union all
        (select c.contact_id from (
             select contact_id, deleted_at from contact
             where given.kind = 'external' and org_id = %(org_id)s and external_id = given.value offset 0
         ) c where c.deleted_at is null)
        union all
        (select c.contact_id from (
             select contact_id, deleted_at, updated_at from contact
             where given.kind = 'email' and org_id = %(org_id)s and email = given.value offset 0
         ) c where c.deleted_at is null order by c.updated_at desc, c.contact_id desc limit 1)
        union all
        (select c.contact_id from (
             select contact_id, deleted_at, updated_at from contact
             where given.kind = 'phone' and org_id = %(org_id)s and phone = given.value offset 0
         ) c where c.deleted_at is null order by c.updated_at desc, c.contact_id desc limit 1)
        union all
        (select t.contact_id from (
             select contact_id, kind, active, updated_at from push_token
             where given.kind = 'token' and org_id = %(org_id)s and token = given.value offset 0
         ) t
         cross join lateral (
             select deleted_at from contact where org_id = %(org_id)s and contact_id = t.contact_id offset 0
         ) c
         where t.kind = %(token_kind)s and c.deleted_at is null
         order by t.active desc, t.updated_at desc limit 1)
    ) one
    offset 0
) as found on true
order by given.n

-- name: insert_batches
-- The recipients of a send, all of them due. Lane 0: they go before campaigns.
insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, lane)
select %(org_id)s, %(send_id)s, (n - 1) / %(size)s, array_agg(recipient order by n), array_agg((n - 1)::int order by n), 0
from unnest(string_to_array(%(recipients)s, E'\x1f')::bigint[]) with ordinality as r (recipient, n)
group by (n - 1) / %(size)s

-- name: insert_recipients
insert into send_recipient (org_id, send_id, ordinal, contact_id, external_request_id, language, data)
select %(org_id)s, %(send_id)s, r.ordinal, r.contact_id, r.external_request_id, r.language, r.data::jsonb
from unnest(
    string_to_array(%(ordinals)s, E'\x1f')::int[], string_to_array(%(contacts)s, E'\x1f')::bigint[],
    string_to_array(%(requests)s, E'\x1f', E'\x1e'), string_to_array(%(languages)s, E'\x1f', E'\x1e'),
    string_to_array(%(data)s, E'\x1f', E'\x1e')
) as r (ordinal, contact_id, external_request_id, language, data)

-- name: count_recipients
update send set chosen = %(chosen)s where org_id = %(org_id)s and send_id = %(send_id)s

-- name: message_states
-- Where each message stands: its channel, its line of the ledger, whether it waits for another try, and what the
-- recipient did. Hits of machines are no deeds of recipients, as in all reports. Of channels whose applications report
-- (contract 22.6) it is told too what they said of the delivery, which only the person's own rows lead to. Each is looked
-- up by its whole key. Unknown messages have no row.
select given.n, s.channel, d.outcome, d.reason, waiting.ordinal is not null as waiting,
       coalesce(done.statuses, '{}') || coalesce(reported.statuses, '{}')
from unnest(%(sends)s::bigint[], %(ordinals)s::int[]) with ordinality as given (send_id, ordinal, n)
join lateral (
    select * from send where org_id = %(org_id)s and send_id = given.send_id and given.ordinal < chosen offset 0
) s on true
left join lateral (
    select outcome, reason, contact_id from delivery
    where org_id = %(org_id)s and send_started_at = s.started_at and send_id = given.send_id
      and ordinal = given.ordinal
    offset 0
) d on true
left join lateral (
    select ordinal from send_retry
    where org_id = %(org_id)s and send_id = given.send_id and ordinal = given.ordinal offset 0
) waiting on true
left join lateral (
    select array_agg(distinct status) as statuses from activity
    where org_id = %(org_id)s and send_id = given.send_id and ordinal = given.ordinal and at >= s.started_at
      and status in ('READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM') and coalesce(meta ->> 'machine', '') = ''
    offset 0
) done on true
left join lateral (
    select array_agg(distinct status) as statuses from activity
    where d.contact_id <> 0 and org_id = %(org_id)s and contact_id = d.contact_id and at >= s.started_at
      and send_id = given.send_id and ordinal = given.ordinal and status in ('SENT', 'DELIVERED', 'UNDELIVERED')
    offset 0
) reported on true
order by given.n

-- name: list_callouts
-- SMS campaigns that were launched, newest first, with the figures of their batches: of this page's only.
with page as (
    select c.campaign_id, c.title, coalesce(c.include[1], 0) as segment_id, s.send_id, s.started_at,
           count(*) over () as total
    from campaign c
    join send s on s.org_id = c.org_id and s.send_id = c.send_id
    where c.org_id = %(org_id)s and c.channel = 'sms'
    order by s.started_at desc, c.campaign_id desc offset %(offset)s limit %(rows)s
)
select p.title, p.segment_id, coalesce(g.name, ''), p.started_at, figures.sent, figures.failed, p.total
from page p
left join segment g on g.org_id = %(org_id)s and g.segment_id = p.segment_id
cross join lateral (
    select coalesce(sum(b.sent), 0)::int as sent, coalesce(sum(b.failed + b.uncertain), 0)::int as failed
    from send_batch b where b.org_id = %(org_id)s and b.send_id = p.send_id
) figures
order by p.started_at desc, p.campaign_id desc

-- name: count_callouts
select count(*) from campaign where org_id = %(org_id)s and channel = 'sms' and send_id is not null
