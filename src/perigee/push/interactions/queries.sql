-- name: lock_reports
-- across organisations: reads no table
-- Reports of one organisation take turns: two of the same would else not see each other.
select pg_advisory_xact_lock(hashtextextended('interactions', %(org_id)s));

-- name: messages_reported
-- The messages that reports name, where the token fits: they went to it, or to the person it belongs to now (services
-- renew tokens). A message may be reported before its outcome is in the ledger; then the batch in hand says whose it is.
select r.n, coalesce(d.contact_id, w.contact_id), s.channel, s.started_at
from unnest(%(sends)s::bigint[], %(ordinals)s::bigint[], %(tokens)s::text[])
     with ordinality as r (send_id, ordinal, token, n)
join send s on s.org_id = %(org_id)s and s.send_id = r.send_id and s.channel in ('mobilepush', 'webpush', 'appinbox')
left join lateral (
    select d.contact_id, d.address, d.outcome from delivery d
    where d.org_id = %(org_id)s and d.send_started_at = s.started_at and d.send_id = r.send_id
      and d.ordinal = r.ordinal offset 0
) d on true
left join lateral (
    select case when s.channel = 'appinbox' then b.recipient
                else (select t.contact_id from push_token t where t.org_id = %(org_id)s and t.token_id = b.recipient) end
    from (select recipients[array_position(ordinals, r.ordinal::int)] as recipient
          from send_batch
          where org_id = %(org_id)s and send_id = r.send_id and done_at is null and owner is not null
            and r.ordinal = any(ordinals) limit 1) b
    where d.outcome is null
) w (contact_id) on true
where d.outcome is distinct from 'dropped' and coalesce(d.contact_id, w.contact_id, 0) <> 0
  and (d.address = r.token
       or exists (select from push_token t where t.org_id = %(org_id)s and t.token = r.token
                  and t.contact_id = coalesce(d.contact_id, w.contact_id) offset 0));

-- name: record_reports
-- What is new. A row's own time is now, so that no reader of the feed is beyond it already; when it happened, as the
-- application says, goes beside it, unless its clock is wrong: before the send or after now.
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta)
select %(org_id)s, clock_timestamp(), h.send_id, h.ordinal, h.contact_id, h.channel, h.status,
       case when h.happened_at between h.started_at and clock_timestamp()
            then jsonb_build_object('happened_at', h.happened_at) end
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[], %(channels)s::text[], %(statuses)s::text[],
            %(starts)s::timestamptz[], %(times)s::timestamptz[])
     as h (send_id, ordinal, contact_id, channel, status, started_at, happened_at)
where not exists (
    select from activity a
    where a.org_id = %(org_id)s and a.contact_id = h.contact_id and a.at >= h.started_at
      and a.send_id = h.send_id and a.ordinal = h.ordinal and a.status = h.status offset 0
);
