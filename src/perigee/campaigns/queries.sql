-- name: insert_campaign
insert into campaign (org_id, title, message_id, channel, include, exclude, pace_count, pace_unit, created_by, options)
values (%(org_id)s, %(title)s, %(message_id)s, %(channel)s, %(include)s, %(exclude)s, %(pace_count)s, %(pace_unit)s,
        %(created_by)s, jsonb_strip_nulls(jsonb_build_object('app_id', %(app_id)s::text, 'utm', %(utm)s::jsonb,
                                            'plan', %(plan)s::jsonb)))
returning campaign_id

-- name: get_campaign
select campaign_id, title, message_id, channel, include, exclude, state, scheduled_at, pace_count, pace_unit,
       send_id, error, created_at, updated_at, options ->> 'app_id', options -> 'utm', options -> 'plan'
from campaign where org_id = %(org_id)s and campaign_id = %(campaign_id)s

-- name: lock_campaign
select campaign_id, title, message_id, channel, include, exclude, state, scheduled_at, pace_count, pace_unit,
       send_id, error, created_at, updated_at, options ->> 'app_id', options -> 'utm', options -> 'plan'
from campaign where org_id = %(org_id)s and campaign_id = %(campaign_id)s for update

-- name: list_campaigns
-- Newest first; `before` is the id of the last row of the page before, 0 for the first page.
select campaign_id, title, message_id, channel, include, exclude, state, scheduled_at, pace_count, pace_unit,
       send_id, error, created_at, updated_at, options ->> 'app_id', options -> 'utm', options -> 'plan'
from campaign
where org_id = %(org_id)s and (%(before)s = 0 or campaign_id < %(before)s)
order by campaign_id desc limit %(limit)s

-- name: list_broadcasts
-- Newest first. A cancelled one is gone for those who list what is, or will be, sent.
select campaign_id, title, message_id, channel, include, exclude, state, scheduled_at, pace_count, pace_unit,
       send_id, error, created_at, updated_at, options ->> 'app_id', options -> 'utm', options -> 'plan'
from campaign
where org_id = %(org_id)s and state <> 'cancelled'
order by campaign_id desc offset %(skip)s limit %(rows)s

-- name: count_broadcasts
select count(*) from campaign where org_id = %(org_id)s and state <> 'cancelled'

-- name: webpush_app
-- The application number that tokens of a web-push domain carry.
select app_id::text from webpush_domain where org_id = %(org_id)s and domain = %(domain)s

-- name: message_exists
select 1 from message where org_id = %(org_id)s and message_id = %(message_id)s and deleted_at is null

-- name: lock_campaigns_of_message
-- All that are sent, or will be, without anybody doing more. One that is being launched now is waited for.
select campaign_id, send_id from campaign
where org_id = %(org_id)s and message_id = %(message_id)s
  and state in ('awaiting_approval', 'scheduled', 'held', 'preparing', 'running', 'paused')
order by campaign_id for update

-- name: stop_campaigns
update campaign
set state = case when send_id is null then 'cancelled' else 'stopped' end, error = null, updated_at = now()
where org_id = %(org_id)s and campaign_id = any(%(campaign_ids)s::bigint[])

-- name: existing_segments
select segment_id from segment where org_id = %(org_id)s and segment_id = any(%(ids)s::bigint[])

-- name: message_of_campaign
select channel, name, tags, subscriptions_keys, language, engine from message
where org_id = %(org_id)s and message_id = %(message_id)s and deleted_at is null

-- name: change_state
-- A conditional update: the row that comes back says that it was ours to change.
update campaign set state = %(state)s, scheduled_at = coalesce(%(scheduled_at)s, scheduled_at), error = %(error)s,
                    launched_by = coalesce(%(launched_by)s, launched_by),
                    local_day = coalesce(%(local_day)s, local_day), updated_at = now()
where org_id = %(org_id)s and campaign_id = %(campaign_id)s and state = any(%(from_states)s::text[])
returning campaign_id

-- name: due_campaigns
-- across organisations: the scheduler looks for what is due; each launch is a transaction of its own.
select org_id, campaign_id from campaign
where state = 'scheduled' and scheduled_at <= now()
order by scheduled_at limit 20

-- name: take_due_campaign
-- No row when another worker launches it at this moment: a large launch takes a while, and nobody should wait for it.
select local_day from campaign
where org_id = %(org_id)s and campaign_id = %(campaign_id)s and state = 'scheduled'
for update skip locked

-- name: local_day
select local_day from campaign where org_id = %(org_id)s and campaign_id = %(campaign_id)s

-- name: launched_by
select launched_by from campaign where org_id = %(org_id)s and campaign_id = %(campaign_id)s

-- name: followed
-- People of an earlier send by what became of their messages: of all the lines one person has, one for each device.
select d.contact_id
from send s
join delivery d on d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
join contact p on p.org_id = d.org_id and p.contact_id = d.contact_id and p.deleted_at is null
left join (
    select ordinal, bool_or(status = 'READ') as opened, bool_or(status = 'CLICKED') as clicked,
           bool_or(status = 'CLICKED' and detail = any(%(follow_links)s::text[])) as chosen
    from activity
    where org_id = %(org_id)s and send_id = %(follow_send)s and status in ('READ', 'CLICKED')
      and coalesce(meta ->> 'machine', '') = ''
    group by ordinal
) a on a.ordinal = d.ordinal
where s.org_id = %(org_id)s and s.send_id = %(follow_send)s
group by d.contact_id
having case %(follow_who)s
    when 'opened' then bool_or(a.opened or a.clicked)
    when 'clicked' then bool_or(case when cardinality(%(follow_links)s::text[]) = 0 then a.clicked else a.chosen end)
    when 'not_opened' then bool_or(d.outcome = 'sent') and not coalesce(bool_or(a.opened or a.clicked), false)
    when 'opened_not_clicked' then bool_or(a.opened) and not coalesce(bool_or(a.clicked), false)
    when 'failed' then bool_or(d.outcome = 'failed') and not bool_or(d.outcome = 'sent')
    when 'not_sent' then bool_or(d.outcome = 'uncertain' or d.outcome = 'dropped' and d.reason = 'stopped')
        and not bool_or(d.outcome = 'sent')
end

-- name: rest_of
-- The campaign that was made to bring an earlier one to those it was not sent to.
select campaign_id from campaign
where org_id = %(org_id)s and campaign_id > %(campaign_id)s and state not in ('cancelled', 'failed')
  and options -> 'plan' -> 'follow' ->> 'campaign_id' = %(campaign_id)s::text
  and options -> 'plan' -> 'follow' ->> 'who' = 'not_sent'
order by campaign_id limit 1

-- name: sending_rules
select time_zone, settings -> 'sending_rules' from organisation where org_id = %(org_id)s

-- name: leave_local_time
update campaign set options = options #- '{plan,local_time}', local_day = null,
                    scheduled_at = coalesce(%(at)s, scheduled_at), updated_at = now()
where org_id = %(org_id)s and campaign_id = %(campaign_id)s

-- name: hurry_batches
-- Who waits for an hour of their own waits for the account's; those whose messages began stay as they are.
update send_batch set due_at = %(at)s
where org_id = %(org_id)s and send_id = %(send_id)s and done_at is null and owner is null and due_at > now()
  and due_at < 'infinity'

-- name: attach_send
update campaign set state = 'running', send_id = %(send_id)s, error = null, updated_at = now()
where org_id = %(org_id)s and campaign_id = %(campaign_id)s

-- name: count_send
update send set chosen = %(chosen)s, dropped = %(dropped)s where org_id = %(org_id)s and send_id = %(send_id)s

-- name: pause_send_of
update send set state = 'paused', paused_at = now()
where org_id = %(org_id)s and send_id = %(send_id)s and state = 'running'

-- name: resume_send_of
-- What was due during the pause becomes due the pause later, so a paced campaign does not catch up in one burst. Hours of
-- the day stay what they are.
with resumed as (
    update send s set state = 'running', error = null, paused_at = null
    from send old
    where s.org_id = %(org_id)s and s.send_id = %(send_id)s and s.state = 'paused'
      and old.org_id = s.org_id and old.send_id = s.send_id
    returning s.org_id, s.send_id, now() - old.paused_at as pause
)
update send_batch b set due_at = b.due_at + r.pause
from resumed r
where b.org_id = r.org_id and b.send_id = r.send_id and b.done_at is null and b.due_at > now() - r.pause
  and exists (select from campaign c where c.org_id = r.org_id and c.send_id = r.send_id and c.pace_count is not null)

-- name: stop_sends
update send set state = 'stopped', finished_at = now()
where org_id = %(org_id)s and send_id = any(%(send_ids)s::bigint[]) and state in ('running', 'paused')

-- name: settle_stopped
-- Everybody of a stopped send who was still waiting gets a line in the ledger: stopped. A batch in a living sender's
-- hands is left to it (it does the same with its next window); what a dead one left in flight is uncertain.
-- across organisations: upkeep runs it without ids for what died after a stop.
with batch as (
    select b.*, s.started_at
    from send_batch b join send s on s.org_id = b.org_id and s.send_id = b.send_id
    where s.state = 'stopped' and b.done_at is null
      and (%(send_ids)s::bigint[] is null
           or (b.org_id = %(org_id)s and b.send_id = any(%(send_ids)s::bigint[])))
      and (b.lease_until is null or b.lease_until < clock_timestamp())
    for update of b skip locked
), line as (
    select org_id, send_id, started_at, ordinals[i] as ordinal, recipients[i] as recipient, attempt,
           'dropped' as outcome, 'stopped' as reason
    from batch, generate_series(position + 1, cardinality(recipients)) as i
    union all
    select org_id, send_id, started_at, ordinals[i + 1], recipients[i + 1], attempt, 'uncertain', 'answer_lost'
    from batch, unnest(in_flight) as i
    union all
    select r.org_id, r.send_id, s.started_at, r.ordinal, r.recipient, r.attempt, 'dropped', 'stopped'
    from send_retry r join send s on s.org_id = r.org_id and s.send_id = r.send_id
    where s.state = 'stopped'
      and (%(send_ids)s::bigint[] is null
           or (r.org_id = %(org_id)s and r.send_id = any(%(send_ids)s::bigint[])))
), ledger as (
    -- Of a token the contact it is of now; 0 when it is gone.
    insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, outcome, reason, attempt, at)
    select l.org_id, l.started_at, l.send_id, l.ordinal,
           case when s.channel in ('mobilepush', 'webpush', 'telegram') then coalesce(t.contact_id, 0)
                else l.recipient end,
           l.outcome, l.reason, l.attempt, clock_timestamp()
    from line l
    join send s on s.org_id = l.org_id and s.send_id = l.send_id
    left join push_token t on t.org_id = l.org_id and t.token_id = l.recipient
), cleared as (
    delete from send_retry r using send s
    where s.org_id = r.org_id and s.send_id = r.send_id and s.state = 'stopped'
      and (%(send_ids)s::bigint[] is null
           or (r.org_id = %(org_id)s and r.send_id = any(%(send_ids)s::bigint[])))
    returning r.org_id, r.send_id
), counted as (
    -- A retry belongs to no batch any more, so it is counted with the send.
    update send s set dropped = s.dropped + c.n
    from (select org_id, send_id, count(*)::int as n from cleared group by 1, 2) c
    where s.org_id = c.org_id and s.send_id = c.send_id
)
update send_batch b
set dropped = b.dropped + cardinality(b.recipients) - b.position, uncertain = b.uncertain + cardinality(b.in_flight),
    position = cardinality(b.recipients), in_flight = '{}', done_at = clock_timestamp(), epoch = b.epoch + 1
from batch
where b.org_id = batch.org_id and b.send_id = batch.send_id and b.batch_no = batch.batch_no

-- name: progress
-- One pass over the batches: a few thousand rows for a million recipients.
select s.chosen, s.dropped as dropped_at_launch, s.started_at, s.finished_at, s.state, s.error,
       coalesce(sum(b.sent), 0)::int, coalesce(sum(b.failed), 0)::int, coalesce(sum(b.dropped), 0)::int,
       coalesce(sum(b.uncertain), 0)::int, coalesce(sum(cardinality(b.in_flight)), 0)::int,
       (select count(*) from send_retry r where r.org_id = s.org_id and r.send_id = s.send_id)::int
from send s left join send_batch b on b.org_id = s.org_id and b.send_id = s.send_id
where s.org_id = %(org_id)s and s.send_id = %(send_id)s
group by s.org_id, s.send_id

-- name: recent_rate
-- By time: the index of activity by send leaves deliveries out.
select count(*)::float8 / 10 from activity
where org_id = %(org_id)s and at > now() - interval '10 seconds' and send_id = %(send_id)s
  and status in ('SENT', 'DELIVERED', 'UNDELIVERED')

-- name: outcomes
-- The ledger by outcome and reason.
select d.outcome, coalesce(d.reason, ''), count(*)::int
from send s join delivery d on d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
where s.org_id = %(org_id)s and s.send_id = %(send_id)s
group by 1, 2

-- name: late_bounces
-- Of messages that had been taken.
select reason, count(*)::int from late_bounce where org_id = %(org_id)s and send_id = %(send_id)s group by 1

-- name: machine_engagement
-- The same of what was left out of the figures: recipients for whom a machine opened or clicked.
select status, count(distinct ordinal)::int from activity
where org_id = %(org_id)s and send_id = %(send_id)s and status in ('READ', 'CLICKED') and meta ->> 'machine' <> ''
group by 1

-- name: engagement
-- People, not hits: each recipient counts once per kind. Machine hits are kept raw and left out.
-- Here and below people are gathered first: `count(distinct …)` would sort the hits of a million.
select status, count(*)::int
from (
    select distinct status, ordinal from activity
    where org_id = %(org_id)s and send_id = %(send_id)s
      and status in ('READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM') and coalesce(meta ->> 'machine', '') = ''
) person
group by 1

-- name: opened_or_clicked
-- Somebody who clicked has read, even with images off.
select count(*)::int
from (
    select distinct ordinal from activity
    where org_id = %(org_id)s and send_id = %(send_id)s and status in ('READ', 'CLICKED')
      and coalesce(meta ->> 'machine', '') = ''
) person

-- name: link_clicks
select url, sum(clicks)::int as clicks, count(*)::int as people
from (
    select detail as url, ordinal, count(*) as clicks from activity
    where org_id = %(org_id)s and send_id = %(send_id)s and status = 'CLICKED' and detail is not null
      and coalesce(meta ->> 'machine', '') = ''
    group by 1, 2
) person
group by 1 order by 2 desc, 1 limit 200

-- name: channels_of_messages
select message_id, channel from message
where org_id = %(org_id)s and message_id = any(%(message_ids)s::bigint[]) and deleted_at is null

-- name: insert_experiment
insert into experiment (org_id, send_id, winner_by, event, days, decide_at)
values (%(org_id)s, %(send_id)s, %(winner_by)s, %(event)s, %(days)s, %(decide_at)s)

-- name: due_experiments
-- across organisations: the scheduler looks for what is due; each decision is a transaction of its own. A test that is
-- still being sent, or waits for allowed hours, is waited for.
select x.org_id, x.send_id from experiment x
where x.decided_at is null and x.decide_at <= %(now)s
  and not exists (select from send_batch b where b.org_id = x.org_id and b.send_id = x.send_id
                  and b.done_at is null and b.due_at < 'infinity')
  and not exists (select from send_retry r where r.org_id = x.org_id and r.send_id = x.send_id
                  and r.reason in ('quiet_hours', 'frequency'))
order by x.decide_at limit 20

-- name: lock_experiment
select winner_by, event, days, decided_at, winner from experiment
where org_id = %(org_id)s and send_id = %(send_id)s for update

-- name: get_experiment
select winner_by, event, days, decided_at, winner from experiment
where org_id = %(org_id)s and send_id = %(send_id)s

-- name: settle_experiment
-- The rest gets the winner's content and is due; all in one statement, so that it is decided wholly or not at all.
with decided as (
    update experiment set winner = %(winner)s, decided_at = %(now)s
    where org_id = %(org_id)s and send_id = %(send_id)s and decided_at is null
    returning org_id, send_id
), given as (
    update send_variant rest set content_digest = best.content_digest
    from decided d, send_variant best
    where rest.org_id = d.org_id and rest.send_id = d.send_id and rest.variant = 0
      and best.org_id = d.org_id and best.send_id = d.send_id and best.variant = %(winner)s
)
update send_batch b set due_at = now()
from decided d
where b.org_id = d.org_id and b.send_id = d.send_id and b.done_at is null and b.due_at = 'infinity'

-- name: variant_results
-- People as in the report: machine hits are left out, whoever clicked has opened.
with sent as materialized (
    select started_at, started_at + make_interval(days => %(days)s) as until from send
    where org_id = %(org_id)s and send_id = %(send_id)s
), reached as materialized (
    select e.contact_id from sent, event_type t, event e
    where %(event)s::text is not null and t.org_id = %(org_id)s and t.key = %(event)s
      and e.org_id = t.org_id and e.event_type_id = t.event_type_id
      and e.occurred_at >= sent.started_at and e.occurred_at < sent.until
    union
    select o.contact_id from sent, orders o
    where %(event)s::text is null and o.org_id = %(org_id)s
      and o.ordered_at >= sent.started_at and o.ordered_at < sent.until
      and o.status in ('INITIALIZED', 'IN_PROGRESS', 'DELIVERED')
), acts as materialized (
    select ordinal, bool_or(status = 'CLICKED') as clicked from activity
    where org_id = %(org_id)s and send_id = %(send_id)s and status in ('READ', 'CLICKED')
      and coalesce(meta ->> 'machine', '') = ''
    group by ordinal
)
select v.variant, v.name, coalesce(v.last_ordinal - v.first_ordinal + 1, 0) as people,
       count(*) filter (where d.outcome = 'sent')::int, count(*) filter (where d.outcome = 'failed')::int,
       count(a.ordinal)::int, count(*) filter (where a.clicked)::int, count(distinct r.contact_id)::int
from sent
join send_variant v on v.org_id = %(org_id)s and v.send_id = %(send_id)s
left join delivery d on d.org_id = %(org_id)s and d.send_started_at = sent.started_at and d.send_id = v.send_id
     and d.ordinal between v.first_ordinal and v.last_ordinal
left join acts a on a.ordinal = d.ordinal
left join reached r on r.contact_id = d.contact_id and d.outcome = 'sent'
group by 1, 2, 3
order by v.variant = 0, v.variant

-- name: group_results
-- Who reached the goal is found first: they are few.
with sent as materialized (
    select started_at, started_at + make_interval(days => %(days)s) as until from send
    where org_id = %(org_id)s and send_id = %(send_id)s
), reached as materialized (
    select e.contact_id from sent, event_type t, event e
    where %(event)s::text is not null and t.org_id = %(org_id)s and t.key = %(event)s
      and e.org_id = t.org_id and e.event_type_id = t.event_type_id
      and e.occurred_at >= sent.started_at and e.occurred_at < sent.until
    union
    select o.contact_id from sent, orders o
    where %(event)s::text is null and o.org_id = %(org_id)s
      and o.ordered_at >= sent.started_at and o.ordered_at < sent.until
      and o.status in ('INITIALIZED', 'IN_PROGRESS', 'DELIVERED')
)
select case d.outcome when 'sent' then 'sent' else 'holdout' end, count(distinct d.contact_id)::int,
       count(distinct r.contact_id)::int
from sent
join delivery d on d.org_id = %(org_id)s and d.send_started_at = sent.started_at and d.send_id = %(send_id)s
left join reached r on r.contact_id = d.contact_id
where d.outcome = 'sent' or d.reason = 'holdout'
group by 1

-- name: allow_long_launch
-- A large audience takes longer than a request may, and sorts more than the default memory holds.
select set_config('statement_timeout', %(timeout)s, true), set_config('work_mem', '64MB', true)
