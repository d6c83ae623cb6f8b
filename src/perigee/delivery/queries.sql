-- name: claim_campaign_batch
-- across organisations: the next batch of the campaigns' lane. Organisations take turns, and within one its campaigns:
-- whoever was served longest ago is next. A batch whose lease ran out is claimed like a new one: that is all the rescue
-- there is. The epoch makes every later write of the former holder a no-op.
with turns as (
    select s.org_id, s.send_id, s.claimed_at, max(s.claimed_at) over (partition by s.org_id) as org_claimed_at
    from send s
    where s.state = 'running' and s.kind = 'campaign'
      and not exists (select from unnest(%(stalled_orgs)s::bigint[], %(stalled_channels)s::text[]) as x (org_id, channel)
                      where x.org_id = s.org_id and x.channel = s.channel)
), candidates as materialized (
    select b.*, row_number() over (order by t.org_claimed_at nulls first, t.org_id, t.claimed_at nulls first, t.send_id,
                                            b.due_at, b.batch_no) as place
    from turns t cross join lateral (
        select b.org_id, b.send_id, b.batch_no, b.due_at from send_batch b
        where b.org_id = t.org_id and b.send_id = t.send_id and b.done_at is null and b.due_at <= now()
          and (b.lease_until is null or b.lease_until < clock_timestamp())
        order by b.due_at, b.batch_no limit 2
    ) b
    order by place limit 16
), next as (
    select b.org_id, b.send_id, b.batch_no
    from candidates c
    join send_batch b on b.org_id = c.org_id and b.send_id = c.send_id and b.batch_no = c.batch_no
    where b.done_at is null and (b.lease_until is null or b.lease_until < clock_timestamp())
    order by c.place limit 1
    for update of b skip locked
), turn as (
    update send s set claimed_at = clock_timestamp() from next n where s.org_id = n.org_id and s.send_id = n.send_id
)
update send_batch b
set owner = %(owner)s, epoch = b.epoch + 1, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
from next n
where b.org_id = n.org_id and b.send_id = n.send_id and b.batch_no = n.batch_no
returning b.org_id, b.send_id, b.batch_no, b.epoch, b.recipients, b.ordinals, b.attempt, b.position, b.in_flight,
          b.lane, b.windows, b.first_at

-- name: claim_single_batch
-- across organisations: the same for the lane of single messages, first come first served within an organisation.
-- `served`: the organisations that this process served lately, the last one at the end.
with recursive orgs as (
    (select b.org_id from send_batch b where b.lane = 0 and b.done_at is null order by b.org_id limit 1)
    union all
    select (select b.org_id from send_batch b
            where b.lane = 0 and b.done_at is null and b.org_id > o.org_id order by b.org_id limit 1)
    from orgs o where o.org_id is not null
), candidates as materialized (
    select b.*, row_number() over (order by coalesce(array_position(%(served)s::bigint[], b.org_id), 0), b.org_id,
                                            b.due_at, b.send_id, b.batch_no) as place
    from orgs o cross join lateral (
        select b.org_id, b.send_id, b.batch_no, b.due_at
        from send_batch b join send s on s.org_id = b.org_id and s.send_id = b.send_id
        where b.lane = 0 and b.org_id = o.org_id and b.done_at is null and b.due_at <= now()
          and (b.lease_until is null or b.lease_until < clock_timestamp()) and s.state = 'running'
          and not exists (select from unnest(%(stalled_orgs)s::bigint[], %(stalled_channels)s::text[]) as x (org_id, channel)
                          where x.org_id = s.org_id and x.channel = s.channel)
        order by b.due_at limit 8
    ) b
    where o.org_id is not null
    order by place limit 16
), next as (
    select b.org_id, b.send_id, b.batch_no
    from candidates c
    join send_batch b on b.org_id = c.org_id and b.send_id = c.send_id and b.batch_no = c.batch_no
    where b.done_at is null and (b.lease_until is null or b.lease_until < clock_timestamp())
    order by c.place limit 1
    for update of b skip locked
)
update send_batch b
set owner = %(owner)s, epoch = b.epoch + 1, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
from next n
where b.org_id = n.org_id and b.send_id = n.send_id and b.batch_no = n.batch_no
returning b.org_id, b.send_id, b.batch_no, b.epoch, b.recipients, b.ordinals, b.attempt, b.position, b.in_flight,
          b.lane, b.windows, b.first_at

-- name: settle_uncertain
-- Messages with an intent and no outcome, found at the claim: recorded as uncertain, never silently repeated.
with found as (
    select b.recipients[i + 1] as recipient, b.ordinals[i + 1] as ordinal
    from send_batch b, unnest(b.in_flight) as i
    where b.org_id = %(org_id)s and b.send_id = %(send_id)s and b.batch_no = %(batch_no)s
), written as (
    insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, reason, attempt, at)
    -- Of a token the contact it is of now; 0 when it is gone.
    select %(org_id)s, s.started_at, s.send_id, f.ordinal,
           case when s.channel in ('mobilepush', 'webpush', 'telegram') then coalesce(t.contact_id, 0)
                else f.recipient end,
           'uncertain', 'answer_lost', %(attempt)s, clock_timestamp()
    from send s cross join found f
    left join push_token t on t.org_id = %(org_id)s and t.token_id = f.recipient
    where s.org_id = %(org_id)s and s.send_id = %(send_id)s
)
update send_batch set in_flight = '{}', uncertain = uncertain + cardinality(in_flight)
where org_id = %(org_id)s and send_id = %(send_id)s and batch_no = %(batch_no)s and epoch = %(epoch)s

-- name: requeue_uncertain
-- The same for transactional messages, which are brought again with the same Message-ID (reliability 11).
with found as (
    select b.recipients[i + 1] as recipient, b.ordinals[i + 1] as ordinal, b.attempt, b.first_at
    from send_batch b, unnest(b.in_flight) as i
    where b.org_id = %(org_id)s and b.send_id = %(send_id)s and b.batch_no = %(batch_no)s
), queued as (
    insert into send_retry (org_id, send_id, ordinal, recipient, attempt, due_at, reason, first_at)
    select %(org_id)s, %(send_id)s, ordinal, recipient, attempt, now(), 'answer_lost', coalesce(first_at, now())
    from found
)
update send_batch set in_flight = '{}', retried = retried + cardinality(in_flight)
where org_id = %(org_id)s and send_id = %(send_id)s and batch_no = %(batch_no)s and epoch = %(epoch)s

-- name: get_send
-- UTM tags that the organisation switched off count no more, though the send began with them.
select s.send_id, s.started_at, s.kind, s.channel, s.campaign_id, s.message_id, s.marketing, s.provider_id, s.state,
       s.content_digest, case when o.settings ->> 'utm' is distinct from 'false' then s.utm end,
       o.time_zone, o.settings -> 'sending_rules', s.hours, s.credits, coalesce(p.settings ->> 'service', ''),
       exists (select from experiment x where x.org_id = s.org_id and x.send_id = s.send_id),
       coalesce(o.settings ->> 'short_url', '')
from send s join organisation o on o.org_id = s.org_id
left join provider p on p.org_id = s.org_id and p.provider_id = s.provider_id and p.kind = 'smtp'
where s.org_id = %(org_id)s and s.send_id = %(send_id)s

-- name: send_variants
-- Parts of a send with a content of their own; a part without one waits for it.
select first_ordinal, last_ordinal, content_digest, variant from send_variant
where org_id = %(org_id)s and send_id = %(send_id)s and first_ordinal is not null

-- name: load_people
-- All a render needs, for a whole batch. Addresses by their whole key, whatever the statistics say (decision 3).
select c.contact_id, c.email, c.phone, ae.spelling, c.first_name, c.last_name, c.external_id, c.contact_key,
       c.language, c.time_zone, c.region, c.town, c.street, c.postcode, c.fields
from contact c
left join lateral (
    select spelling from address
    where org_id = c.org_id and kind = 'email' and value = c.email offset 0
) ae on true
where c.org_id = %(org_id)s and c.contact_id = any(%(ids)s::bigint[])

-- name: commit_window
-- Outcomes of what was sent and the intent for what comes next, in one transaction (DESIGN 5.2). Nothing is written
-- unless owner and epoch still hold the batch. New intents count only while the send runs.
with mine as (
    update send_batch b
    set position = case when s.state = 'running' then %(position)s::int else %(still_position)s::int end,
        in_flight = case when s.state = 'running' then string_to_array(%(in_flight)s, E'\x1f')::int[]
                         else string_to_array(%(still_in_flight)s, E'\x1f')::int[] end,
        sent = b.sent + %(sent)s::int, failed = b.failed + %(failed)s::int, dropped = b.dropped + %(dropped)s::int,
        uncertain = b.uncertain + %(uncertain)s::int, windows = b.windows + 1,
        retried = b.retried + %(retried)s::int + case when s.state = 'running' then %(held)s::int else 0 end,
        lease_until = clock_timestamp() + make_interval(secs => %(lease)s),
        done_at = case when %(done)s::boolean then clock_timestamp() end
    from send s
    where b.org_id = %(org_id)s and b.send_id = %(send_id)s and b.batch_no = %(batch_no)s
      and b.owner = %(owner)s and b.epoch = %(epoch)s and b.windows = %(windows)s
      and s.org_id = b.org_id and s.send_id = b.send_id
    returning s.state, s.started_at, s.channel, b.first_at
), outcome as (
    select * from unnest(
        string_to_array(%(ordinals)s, E'\x1f')::int[], string_to_array(%(contacts)s, E'\x1f')::bigint[],
        string_to_array(%(addresses)s, E'\x1f', E'\x1e'), string_to_array(%(outcomes)s, E'\x1f'),
        string_to_array(%(reasons)s, E'\x1f', E'\x1e'), string_to_array(%(texts)s, E'\x1f', E'\x1e'),
        string_to_array(%(languages)s, E'\x1f', E'\x1e')
    ) as o (ordinal, contact_id, address, outcome, reason, provider_text, language)
), ledger as (
    insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, reason,
                          provider_text, language, attempt, provider_id, at)
    select %(org_id)s, mine.started_at, %(send_id)s, o.ordinal, o.contact_id, o.address, o.outcome, o.reason,
           o.provider_text, o.language, %(attempt)s::smallint,
           case when o.outcome in ('sent', 'failed') then %(provider_id)s::bigint end, clock_timestamp()
    from outcome o, mine
), told as (
    -- Of live segments (segments/live/notes.py): 64 is the ledger, 128 the activity (segments/kinds.py).
    insert into segment_dirty (org_id, lane, contact_id, kinds)
    select %(org_id)s, 1, o.contact_id, 192
    from segment_watch w, outcome o, mine
    where w.org_id = %(org_id)s and w.kinds & 192 <> 0 and o.contact_id <> 0
), acts as (
    insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, detail)
    select %(org_id)s, clock_timestamp(), %(send_id)s, o.ordinal, o.contact_id, mine.channel,
           case when o.outcome <> 'sent' then 'UNDELIVERED' when %(reports)s::boolean then 'SENT'
                else 'DELIVERED' end,
           case when o.outcome = 'failed' then coalesce(o.provider_text, o.reason) end
    from outcome o, mine where o.outcome in ('sent', 'failed')
), queued as (
    insert into send_retry (org_id, send_id, ordinal, recipient, attempt, due_at, reason, first_at)
    select %(org_id)s, %(send_id)s, r.ordinal, r.recipient, r.attempt,
           clock_timestamp() + make_interval(secs => r.wait), r.reason,
           coalesce(mine.first_at, case when r.tried then clock_timestamp() end)
    from unnest(%(retry_ordinals)s::int[], %(retry_recipients)s::bigint[], %(retry_attempts)s::int[],
                %(retry_waits)s::float8[], %(retry_reasons)s::text[], %(retry_held)s::boolean[],
                %(retry_tried)s::boolean[])
         as r (ordinal, recipient, attempt, wait, reason, held, tried), mine
    where mine.state = 'running' or not r.held  -- like an intent: nobody is begun or held of a send that is paused
), named as (
    insert into provider_message as p (org_id, provider_id, message_id, send_id, ordinal, parts, at)
    select distinct on (m.message_id) %(org_id)s, %(provider_id)s::bigint, m.message_id, %(send_id)s, m.ordinal, m.parts,
           clock_timestamp()
    from unnest(%(named)s::text[], string_to_array(%(named_ordinals)s, E'\x1f')::int[],
                string_to_array(%(named_parts)s, E'\x1f')::int[])
         as m (message_id, ordinal, parts), mine
    on conflict (org_id, provider_id, message_id) do update
        set send_id = excluded.send_id, ordinal = excluded.ordinal, parts = excluded.parts, at = excluded.at,
            delivered_at = null
)
select state from mine

-- name: window_written
-- Was this window written, its answer lost? 'running' only when its intent counts.
select case when b.position = %(position)s and b.in_flight = %(in_flight)s::int[] then 'running'
            when s.state = 'running' then 'paused' else s.state end
from send_batch b join send s on s.org_id = b.org_id and s.send_id = b.send_id
where b.org_id = %(org_id)s and b.send_id = %(send_id)s and b.batch_no = %(batch_no)s
  and b.owner = %(owner)s and b.epoch = %(epoch)s and b.windows = %(windows)s + 1

-- name: release_batch
-- Gives the batch back unfinished: everything before `position` is settled.
update send_batch
set owner = null, lease_until = null, due_at = greatest(due_at, clock_timestamp() + make_interval(secs => %(wait)s))
where org_id = %(org_id)s and send_id = %(send_id)s and batch_no = %(batch_no)s
  and owner = %(owner)s and epoch = %(epoch)s and done_at is null

-- name: gather_retries
-- across organisations: turns what is due again into batches, one per send, attempt and hour of the first attempt.
-- Confessed side effect: deletes the retries it moves.
with due as (
    select r.org_id, r.send_id, r.ordinal
    from send_retry r join send s on s.org_id = r.org_id and s.send_id = r.send_id
    where r.due_at <= now() and s.state = 'running'
    order by r.due_at limit 5000
    for update of r skip locked
), moved as (
    delete from send_retry r using due
    where r.org_id = due.org_id and r.send_id = due.send_id and r.ordinal = due.ordinal
    returning r.*
), grouped as (
    select org_id, send_id, attempt, n / 500 as part,
           array_agg(recipient order by ordinal) as recipients, array_agg(ordinal order by ordinal) as ordinals,
           min(first_at) as first_at
    from (select *, row_number() over (partition by org_id, send_id, attempt, date_trunc('hour', first_at)
                                       order by ordinal) - 1 as n from moved) m
    group by 1, 2, 3, 4, date_trunc('hour', first_at)
)
insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, attempt, lane, first_at)
select g.org_id, g.send_id, nextval('send_batch_retry_seq'), g.recipients, g.ordinals, g.attempt,
       case when s.kind = 'campaign' then 1 else 0 end, g.first_at
from grouped g join send s using (org_id, send_id)

-- name: finish_sends
-- across organisations: "finished" is computed: no batch undone and nobody waiting for a retry.
with finished as (
    update send s set state = 'finished', finished_at = now()
    where s.state = 'running'
      and (%(send_id)s::bigint is null or (s.org_id = %(org_id)s and s.send_id = %(send_id)s))
      and not exists (select from send_batch b
                      where b.org_id = s.org_id and b.send_id = s.send_id and b.done_at is null)
      and not exists (select from send_retry r where r.org_id = s.org_id and r.send_id = s.send_id)
    returning s.org_id, s.campaign_id
)
update campaign c set state = 'finished', updated_at = now()
from finished f where c.org_id = f.org_id and c.campaign_id = f.campaign_id

-- name: sent_of_send
select coalesce(sum(sent), 0)::int from send_batch where org_id = %(org_id)s and send_id = %(send_id)s

-- name: pause_send
-- The sender stops a send by itself when its message is at fault.
with paused as (
    update send set state = 'paused', paused_at = now(), error = %(error)s
    where org_id = %(org_id)s and send_id = %(send_id)s and state = 'running'
    returning org_id, campaign_id
)
update campaign c set state = 'paused', error = %(error)s, updated_at = now()
from paused p where c.org_id = p.org_id and c.campaign_id = p.campaign_id

-- name: suppress_addresses
-- Dead addresses, as the provider's replies say.
with dead as (
    select distinct on (value) * from unnest(%(values)s::text[], %(reasons)s::text[], %(sends)s::bigint[])
        as d (value, reason, send_id)
    order by value
), marked as (
    update address a set blacklisted_at = now(), blacklist_reason = d.reason
    from dead d
    where a.org_id = %(org_id)s and a.kind = %(kind)s and a.value = d.value and a.blacklisted_at is null
    returning a.value, d.reason, d.send_id
)
insert into consent_log (org_id, kind, value, action, source, reason, send_id)
select %(org_id)s, %(kind)s, value, 'blacklisted', 'provider', reason, send_id from marked

-- name: drop_tokens
-- Those of which a service says that they are gone for good. Sorted against deadlocks.
delete from push_token where org_id = %(org_id)s and token_id in (
    select t.token_id
    from unnest(%(values)s::text[]) as dead (token)
    cross join lateral (
        select t.token_id from push_token t
        where t.org_id = %(org_id)s and t.token = dead.token and t.kind = %(kind)s
        offset 0
    ) t
    order by t.token_id
)
returning contact_id;

-- name: has_push_domain
select from webpush_domain where org_id = %(org_id)s limit 1;

-- name: has_app_credentials
select from app where org_id = %(org_id)s and kind = %(channel)s and credentials is not null limit 1;

-- name: block_addresses
-- Full or frozen mailboxes wait 1, 2, 3, then 90 days (product 2).
update address
set soft_bounces = soft_bounces + 1,
    blocked_until = now() + make_interval(days => case when soft_bounces < 3 then soft_bounces + 1 else 90 end)
where org_id = %(org_id)s and kind = %(kind)s and value = any(%(values)s::text[])
  and (blocked_until is null or blocked_until <= now()) -- what was on its way when the block began climbs no further

-- name: doubt_addresses
-- Refusals that say nothing certain of the address: one that follows another after a day or more suppresses it. A doubt
-- of three months ago is forgotten.
with given as (
    select distinct on (value) * from unnest(%(values)s::text[], %(reasons)s::text[], %(sends)s::bigint[])
        as g (value, reason, send_id)
    order by value
), doubted as (
    update address a
    set doubted_at = case when a.doubted_at >= now() - interval '90 days' then a.doubted_at else now() end,
        blacklisted_at = case when a.doubted_at between now() - interval '90 days' and now() - interval '24 hours'
                              then now() end,
        blacklist_reason = case when a.doubted_at between now() - interval '90 days' and now() - interval '24 hours'
                                then g.reason end
    from given g
    where a.org_id = %(org_id)s and a.kind = %(kind)s and a.value = g.value and a.blacklisted_at is null
    returning a.value, g.reason, g.send_id, a.blacklisted_at is not null as dead
)
insert into consent_log (org_id, kind, value, action, source, reason, send_id)
select %(org_id)s, %(kind)s, value, 'blacklisted', 'provider', reason, send_id from doubted where dead

-- name: get_provider
select provider_id, channel, kind, name, settings, secrets from provider
where org_id = %(org_id)s and provider_id = %(provider_id)s

-- name: pick_provider
-- Held until the send that goes through it is written, so that it cannot be removed in between.
select provider_id from provider
where org_id = %(org_id)s and channel = %(channel)s and enabled
order by priority, provider_id limit 1
for key share

-- name: list_routes
select provider_id, kind, priority, weight, enabled from provider
where org_id = %(org_id)s and channel = %(channel)s

-- name: standing_providers
-- across organisations: those of these kinds that are switched on, or whose messages may still get receipts.
select p.org_id, p.provider_id from provider p
where p.kind = any(%(kinds)s::text[]) and (p.enabled or exists (
    select from send s where s.org_id = p.org_id and s.provider_id = p.provider_id
    and s.state in ('preparing', 'running', 'paused')
) or exists (
    select from provider_message m
    where m.org_id = p.org_id and m.provider_id = p.provider_id and m.at > now() - interval '3 days'))

-- name: lock_provider
select 1 from provider where org_id = %(org_id)s and provider_id = %(provider_id)s for update

-- name: update_provider
update provider
set name = coalesce(%(name)s, name), priority = coalesce(%(priority)s, priority),
    enabled = coalesce(%(enabled)s, enabled), weight = coalesce(%(weight)s, weight),
    limits = coalesce(%(limits)s, limits), settings = %(settings)s, secrets = %(secrets)s
where org_id = %(org_id)s and provider_id = %(provider_id)s
returning provider_id, channel, kind, name, settings, priority, enabled, weight, limits,
       (select used from pace where pace.org_id = provider.org_id and pace.name = provider.provider_id || ':day'
        and day = (now() at time zone 'UTC')::date)

-- name: delete_provider
delete from provider p
where p.org_id = %(org_id)s and p.provider_id = %(provider_id)s
  and not exists (select from send s where s.org_id = p.org_id and s.provider_id = p.provider_id
                  and s.state in ('preparing', 'running', 'paused'))
returning 1

-- name: list_providers
select provider_id, channel, kind, name, settings, priority, enabled, weight, limits,
       (select used from pace where pace.org_id = provider.org_id and pace.name = provider.provider_id || ':day'
        and day = (now() at time zone 'UTC')::date)
from provider
where org_id = %(org_id)s order by channel, priority, provider_id

-- name: insert_provider
insert into provider (org_id, channel, kind, name, settings, secrets, priority, weight, limits)
values (%(org_id)s, %(channel)s, %(kind)s, %(name)s, %(settings)s, %(secrets)s, %(priority)s, %(weight)s, %(limits)s)
returning provider_id

-- name: link_target
-- Numbers are unique within a content, whatever the language; of no link, the send's UTM tags alone. They are as in
-- `get_send`.
select l.url, case when o.settings ->> 'utm' is distinct from 'false' then s.utm end
from send s
join organisation o on o.org_id = s.org_id
left join send_variant v on v.org_id = s.org_id and v.send_id = s.send_id and v.variant = %(variant)s
left join content_link l on l.org_id = s.org_id and l.digest = coalesce(v.content_digest, s.content_digest)
    and l.link_no = %(link_no)s
where s.org_id = %(org_id)s and s.send_id = %(send_id)s

-- name: contact_of_message
-- To whom a message went: by the ledger; before its outcome is committed, by what is in hands or waits for another try.
-- 0 when it is nobody's any more. Of channels whose recipients are contacts.
select coalesce(
    (select d.contact_id from delivery d
     where d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id and d.ordinal = %(ordinal)s),
    (select b.recipients[array_position(b.ordinals, %(ordinal)s::int)] from send_batch b
     where b.org_id = s.org_id and b.send_id = s.send_id and b.done_at is null and b.in_flight <> '{}'
       and b.ordinals @> array[%(ordinal)s::int] limit 1),
    (select r.recipient from send_retry r
     where r.org_id = s.org_id and r.send_id = s.send_id and r.ordinal = %(ordinal)s),
    0)
from send s where s.org_id = %(org_id)s and s.send_id = %(send_id)s

-- name: insert_links
insert into content_link (org_id, digest, language, link_no, url)
select %(org_id)s, %(digest)s, l.language, l.link_no, l.url
from unnest(%(languages)s::text[], %(numbers)s::int[], %(urls)s::text[]) as l (language, link_no, url)
on conflict do nothing

-- name: near_hits
-- What is known around hits that come in. A person's latest hits by their own index, and not many of them, so that
-- whoever calls one link a million times costs no more than others.
select r.send_id, r.ordinal, s.channel, d.at, near.links, near.trapped
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[]) as r (send_id, ordinal, contact_id)
join send s on s.org_id = %(org_id)s and s.send_id = r.send_id
left join lateral (
    select d.at from delivery d
    where d.org_id = %(org_id)s and d.send_started_at = s.started_at and d.send_id = r.send_id
      and d.ordinal = r.ordinal and d.outcome = 'sent' offset 0
) d on true
left join lateral (
    select array_agg(distinct a.link_no) filter (where a.status = 'CLICKED' and a.link_no is not null
                                                 and a.at > now() - %(burst)s::interval) as links,
           bool_or(a.meta ->> 'machine' = 'trap' and a.status = 'CLICKED' and a.link_no is null) as trapped
    from (
        select * from activity
        where org_id = %(org_id)s and contact_id = r.contact_id and at > now() - %(window)s::interval
        order by at desc limit 50
    ) a
    where a.send_id = r.send_id and a.ordinal = r.ordinal
) near on true

-- name: mark_machine_hits
-- What machines did before they were recognised.
update activity a set meta = coalesce(a.meta, '{}') || jsonb_build_object('machine', m.reason)
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[], %(reasons)s::text[],
            %(windows)s::interval[]) as m (send_id, ordinal, contact_id, reason, past)
where a.org_id = %(org_id)s and a.contact_id = m.contact_id and a.at > now() - m.past and a.send_id = m.send_id
  and a.ordinal = m.ordinal and a.status in ('READ', 'CLICKED') and coalesce(a.meta ->> 'machine', '') = ''

-- name: record_hits
-- Opens and clicks, group-committed. An open seen by a click alone is not invented here: reports count people. No row's
-- time is before its transaction, or a reader of the feed could already be beyond it (reports/activity.py).
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, link_no, detail, meta)
select %(org_id)s, greatest(h.at, now()), h.send_id, h.ordinal, h.contact_id, s.channel, h.status, h.link_no, h.url, h.meta::jsonb
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[], %(statuses)s::text[],
            %(links)s::int[], %(urls)s::text[], %(metas)s::text[], %(ats)s::timestamptz[])
     as h (send_id, ordinal, contact_id, status, link_no, url, meta, at)
join send s on s.org_id = %(org_id)s and s.send_id = h.send_id

-- name: addresses_of
-- The addresses that messages went to; before the outcome is committed, the contact's present one.
select r.n, coalesce(d.address, case s.channel when 'email' then c.email else c.phone end) as address, s.channel
from unnest(%(sends)s::bigint[], %(ordinals)s::int[], %(contacts)s::bigint[])
     with ordinality as r (send_id, ordinal, contact_id, n)
join send s on s.org_id = %(org_id)s and s.send_id = r.send_id
left join delivery d on d.org_id = %(org_id)s and d.send_started_at = s.started_at
     and d.send_id = r.send_id and d.ordinal = r.ordinal
left join contact c on c.org_id = %(org_id)s and c.contact_id = r.contact_id
order by r.n

-- name: person_of_delivery
-- For the web version of a message: the person as they are now.
select c.contact_id, c.email, c.phone, ae.spelling, c.first_name, c.last_name, c.external_id, c.contact_key,
       c.language, c.time_zone, c.region, c.town, c.street, c.postcode, c.fields,
       d.language as sent_language
from contact c
left join lateral (
    select spelling from address
    where org_id = c.org_id and kind = 'email' and value = c.email offset 0
) ae on true
join send s on s.org_id = c.org_id and s.send_id = %(send_id)s
left join delivery d on d.org_id = c.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
     and d.ordinal = %(ordinal)s
where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s and c.deleted_at is null

-- name: get_frozen_message
-- A message with all its language versions as they are now; null versions where it has none.
select m.message_id, m.channel, m.name, m.tags, m.subscriptions_keys, m.language, m.engine, m.utm,
       (select jsonb_object_agg(v.language, v.content) from message_version v
        where v.org_id = m.org_id and v.message_id = m.message_id) as versions
from message m where m.org_id = %(org_id)s and m.message_id = %(message_id)s and m.deleted_at is null

-- name: surroundings
-- What of the organisation goes into messages: its name, the address for the footer, the names of its fields, how links
-- are tagged.
select o.name, coalesce(o.settings ->> 'postal_address', ''), o.settings,
       (select coalesce(jsonb_object_agg(g.key || '.' || f.key, f.field_id::text), '{}')
        from field f join field_group g using (org_id, group_id) where f.org_id = %(org_id)s)
from organisation o where o.org_id = %(org_id)s

-- name: has_content
select 1 from send_content where org_id = %(org_id)s and digest = %(digest)s

-- name: insert_content
insert into send_content (org_id, digest, content) values (%(org_id)s, %(digest)s, %(content)s)
on conflict (org_id, digest) do nothing

-- name: get_content
select content from send_content where org_id = %(org_id)s and digest = %(digest)s

-- name: insert_send
insert into send (org_id, started_at, kind, channel, campaign_id, message_id, message_name, tags, marketing,
                  provider_id, content_digest, sender, utm, hours, credits)
values (%(org_id)s, %(started_at)s, %(kind)s, %(channel)s, %(campaign_id)s, %(message_id)s, %(name)s, %(tags)s,
        %(marketing)s, %(provider_id)s, %(digest)s, %(sender)s, %(utm)s, %(hours)s, %(credits)s)
returning send_id

-- name: load_token_people
-- The same as `load_people` for push tokens, which come first.
select t.token_id, t.token, c.contact_id, c.email, c.phone, ae.spelling, c.first_name, c.last_name, c.external_id,
       c.contact_key, c.language, c.time_zone, c.region, c.town, c.street, c.postcode, c.fields
from push_token t
cross join lateral (select * from contact where org_id = t.org_id and contact_id = t.contact_id offset 0) c
left join lateral (
    select spelling from address
    where org_id = c.org_id and kind = 'email' and value = c.email offset 0
) ae on true
where t.org_id = %(org_id)s and t.token_id = any(%(ids)s::bigint[])

-- name: load_given
-- What the caller of the API said about these recipients.
select ordinal, language, data from send_recipient
where org_id = %(org_id)s and send_id = %(send_id)s and ordinal = any(%(ordinals)s::int[])

-- name: pace_plan
-- Limits of a provider, limits of destinations, and what is the matter with them (see `destinations.State`; null: until
-- a person lifts it). A built-in provider has no row and no limits. Slowed ones whose time is over are left out.
select (select limits from provider where org_id = %(org_id)s and provider_id = %(provider_id)s),
       coalesce((select jsonb_object_agg(name, per_second) from destination
                 where org_id = %(org_id)s and per_second is not null), '{}'),
       coalesce((select jsonb_agg(jsonb_build_array(
                     name, rate, full_rate, extract(epoch from now() - changed_at),
                     case when stopped_until = 'infinity' then null
                          else greatest(0, coalesce(extract(epoch from stopped_until - now()), 0)) end))
                 from destination_state where org_id = %(org_id)s and provider_id = %(provider_id)s
                   and (stopped_until > now() or rate is not null and changed_at > now() - interval '10 minutes')),
                '[]')

-- name: make_pace
insert into pace (org_id, name, tokens, at)
select %(org_id)s, n.name, n.tokens, clock_timestamp() from unnest(%(names)s::text[], %(tokens)s::float8[]) as n (name, tokens)
order by n.name
on conflict do nothing

-- name: lock_pace
select p.name, p.tokens, extract(epoch from clock_timestamp() - p.at)::float8,
       greatest(0, coalesce(extract(epoch from p.promised_until - clock_timestamp()), 0))::float8,
       case when p.day = %(today)s then p.used else 0 end
from pace p where p.org_id = %(org_id)s and p.name = any(%(names)s::text[])
order by p.name for update

-- name: write_pace
update pace p
set tokens = n.tokens, at = clock_timestamp(), used = n.used, day = %(today)s,
    promised_until = clock_timestamp() + make_interval(secs => n.promised)
from unnest(%(names)s::text[], %(tokens)s::float8[], %(promised)s::float8[], %(used)s::int[]) as n (name, tokens, promised, used)
where p.org_id = %(org_id)s and p.name = n.name

-- name: slow_destinations
-- Half of what is allowed now, once in a while. What was never slowed starts from the speed it had.
insert into destination_state as d (org_id, provider_id, name, rate, full_rate, reason)
select %(org_id)s, %(provider_id)s, n.name, n.speed / 2, n.speed, %(reason)s
from unnest(%(names)s::text[], %(speeds)s::float8[]) as n (name, speed)
order by n.name
on conflict (org_id, provider_id, name) do update
set full_rate = case when d.full_rate is null or (d.rate * 2 ^ least(60, floor(extract(epoch from now() - d.changed_at) / %(step)s))) >= d.full_rate then excluded.full_rate
                     else d.full_rate end,
    rate = case when d.full_rate is null or (d.rate * 2 ^ least(60, floor(extract(epoch from now() - d.changed_at) / %(step)s))) >= d.full_rate then excluded.rate
                else greatest((d.rate * 2 ^ least(60, floor(extract(epoch from now() - d.changed_at) / %(step)s))) / 2, d.full_rate * %(least)s) end,
    changed_at = now(), reason = case when d.stopped_until > now() then d.reason else excluded.reason end
where d.rate is null or d.changed_at < now() - make_interval(secs => %(pause)s)

-- name: stop_destination
insert into destination_state as d (org_id, provider_id, name, stopped_until, reason)
values (%(org_id)s, %(provider_id)s, %(name)s, coalesce(now() + make_interval(secs => %(seconds)s), 'infinity'), %(reason)s)
on conflict (org_id, provider_id, name) do update
set stopped_until = greatest(d.stopped_until, excluded.stopped_until), reason = excluded.reason

-- name: list_destinations
select coalesce(d.name, s.name), s.provider_id, d.per_second, s.rate, s.full_rate,
       extract(epoch from now() - s.changed_at)::float8, coalesce(s.stopped_until > now(), false),
       case when s.stopped_until > now() and s.stopped_until < 'infinity' then s.stopped_until end, s.reason
from (select * from destination where org_id = %(org_id)s) d
full join (select * from destination_state where org_id = %(org_id)s
           and (stopped_until > now() or rate is not null and changed_at > now() - interval '10 minutes')) s
     on s.name = d.name
order by 1, 2

-- name: limit_destination
insert into destination (org_id, name, per_second) values (%(org_id)s, %(name)s, %(per_second)s)
on conflict (org_id, name) do update set per_second = excluded.per_second

-- name: forget_destination
with a as (delete from destination where org_id = %(org_id)s and name = %(name)s returning 1),
     b as (delete from destination_state where org_id = %(org_id)s and name = %(name)s returning 1)
select (select count(*) from a) + (select count(*) from b)

-- name: note_send_error
-- For people to see; the send goes on.
with noted as (
    update send set error = %(error)s where org_id = %(org_id)s and send_id = %(send_id)s and error is null
    returning org_id, campaign_id
)
update campaign c set error = %(error)s, updated_at = now()
from noted n where c.org_id = n.org_id and c.campaign_id = n.campaign_id
