-- name: by_ledger
-- Somebody who clicked has read, even with images off. Hits of machines are kept raw and counted nowhere. The contact is
-- asked for the few lines without an address alone.
with line as (
    select s.send_id, d.ordinal, d.outcome,
           case %(by)s::text when 'domain' then split_part(coalesce(d.address,
                    (select c.email from contact c where c.org_id = d.org_id and c.contact_id = d.contact_id)), '@', 2)
                when 'language' then d.language when 'send' then s.send_id::text end as value
    from send s
    join delivery d on d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
    where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s
), act as materialized (
    select a.send_id, a.ordinal,
           bool_or(a.status in ('READ', 'CLICKED')) as opened, bool_or(a.status = 'CLICKED') as clicked,
           bool_or(a.status = 'UNSUBSCRIBED') as unsubscribed, bool_or(a.status = 'SPAM') as complained
    from send s
    join activity a on a.org_id = s.org_id and a.send_id = s.send_id and a.at >= s.started_at
    where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s
      and a.status in ('READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM') and coalesce(a.meta ->> 'machine', '') = ''
    group by 1, 2
)
select coalesce(line.value, ''), '', count(*)::int,
       count(*) filter (where outcome = 'sent')::int, count(*) filter (where outcome = 'failed')::int,
       count(*) filter (where outcome = 'uncertain')::int, count(*) filter (where outcome = 'dropped')::int,
       count(*) filter (where act.opened)::int, count(*) filter (where act.clicked)::int,
       count(*) filter (where act.unsubscribed)::int, count(*) filter (where act.complained)::int
from line left join act on act.send_id = line.send_id and act.ordinal = line.ordinal
group by 1 order by 3 desc, 1 limit %(limit)s

-- name: by_hit
-- Hours and days count from the start of the send and come in their order; all else by size.
-- A row for each person and value first: to count distinct people of a million would sort them all.
with hit as (
    select a.send_id, a.ordinal, a.status, a.detail,
           floor(extract(epoch from a.at - s.started_at) / case %(by)s::text when 'day' then 86400 else 3600 end)::int as step,
           case %(by)s::text when 'link' then a.link_no::text when 'url' then a.detail
                when 'device' then a.meta ->> 'device' when 'client' then a.meta ->> 'client'
                when 'os' then a.meta ->> 'os' end as value
    from send s
    join activity a on a.org_id = s.org_id and a.send_id = s.send_id and a.at >= s.started_at
    where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s and a.status = any(%(statuses)s::text[])
      and coalesce(a.meta ->> 'machine', '') = ''
), person as (
    select case when %(by)s::text in ('hour', 'day') then step::text else coalesce(value, '') end as value,
           send_id, ordinal, min(detail) as detail, min(step) as step,
           count(*) filter (where status = 'READ') as opens, count(*) filter (where status = 'CLICKED') as clicks
    from hit group by 1, 2, 3
), grouped as (
    select value, case %(by)s::text when 'link' then coalesce(min(detail), '') else '' end as about,
           count(*)::int as opened, count(*) filter (where clicks > 0)::int as clicked,
           sum(opens)::int as opens, sum(clicks)::int as clicks, min(step) as step
    from person group by 1
)
select value, about, opened, clicked, opens, clicks from grouped
order by case when %(by)s::text in ('hour', 'day') then step end, clicks + opens desc, value limit %(limit)s

-- name: people
-- The ledger by key, from the page's place on, filtered; what came later is looked up for the rows of the page alone.
with engaged as materialized (
    select distinct a.send_id, a.ordinal
    from send s
    join activity a on a.org_id = s.org_id and a.send_id = s.send_id and a.at >= s.started_at
    where cardinality(%(engaged)s::text[]) > 0 and s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s
      and a.status = any(%(engaged)s::text[]) and coalesce(a.meta ->> 'machine', '') = ''
), line as materialized (
    select s.send_id, s.started_at, d.*
    from send s
    cross join lateral (
        select d.ordinal, d.contact_id,
               coalesce(d.address, case s.channel when 'email' then c.email when 'sms' then c.phone when 'viber' then c.phone end)
                   as address,
               d.outcome, d.reason, d.provider_text, d.language, d.attempt, d.at
        from delivery d
        left join lateral (
            select c.email, c.phone from contact c
            where d.address is null and c.org_id = d.org_id and c.contact_id = d.contact_id offset 0
        ) c on true
        where d.org_id = s.org_id and d.send_started_at = s.started_at and d.send_id = s.send_id
          and d.ordinal > case when s.send_id = %(send_id)s then %(ordinal)s::int else -1 end
          and (%(outcome)s::text is null or d.outcome = %(outcome)s)
          and (%(reason)s::text is null or d.reason = %(reason)s)
          and (%(domain)s::text is null or split_part(coalesce(d.address, c.email), '@', 2) = %(domain)s)
          and (%(address)s::text is null or coalesce(d.address, c.email, c.phone) = %(address)s)
          and (cardinality(%(engaged)s::text[]) = 0
               or d.ordinal in (select e.ordinal from engaged e where e.send_id = s.send_id))
        order by d.ordinal limit %(limit)s
    ) d
    where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s and s.send_id >= %(send_id)s
    order by s.send_id, d.ordinal limit %(limit)s
)
select line.send_id, line.ordinal, line.contact_id, line.address, line.outcome, line.reason, line.provider_text,
       line.language, line.attempt, line.at, act.opened_at, act.clicked_at, coalesce(act.clicks, 0),
       act.unsubscribed_at, act.complained_at, late.at, late.detail
from line
left join lateral (
    select min(a.at) filter (where a.status in ('READ', 'CLICKED')) as opened_at,
           min(a.at) filter (where a.status = 'CLICKED') as clicked_at,
           count(*) filter (where a.status = 'CLICKED')::int as clicks,
           min(a.at) filter (where a.status = 'UNSUBSCRIBED') as unsubscribed_at,
           min(a.at) filter (where a.status = 'SPAM') as complained_at
    from activity a
    where a.org_id = %(org_id)s and a.send_id = line.send_id and a.ordinal = line.ordinal and a.at >= line.started_at
      and a.status in ('READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM') and coalesce(a.meta ->> 'machine', '') = ''
) act on true
left join lateral (
    -- What came back after it had been accepted.
    select a.at, a.detail from activity a
    where line.outcome = 'sent' and a.org_id = %(org_id)s and a.contact_id = line.contact_id and a.at >= line.at
      and a.send_id = line.send_id and a.ordinal = line.ordinal and a.status = 'UNDELIVERED'
    order by a.at limit 1
) late on true
order by line.send_id, line.ordinal

-- name: purchases
-- Orders whose last touch, among all messages of all campaigns, is a message of this one. Only who was touched by this
-- campaign can be: so their orders alone are looked at.
with rule as materialized (
    select * from unnest(%(channels)s::text[], %(statuses)s::text[], %(days)s::int[]) as r (channel, status, days)
), own as materialized (
    select distinct a.contact_id
    from send s
    join activity a on a.org_id = s.org_id and a.send_id = s.send_id and a.at >= s.started_at
    join rule r on r.channel = a.channel and r.status = a.status
    where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s and not (s.tags && %(tags)s::text[]) and coalesce(a.meta ->> 'machine', '') = ''
), candidate as materialized (
    select o.order_id, o.external_order_id, o.contact_id, o.total, o.ordered_at
    from own join orders o on o.org_id = %(org_id)s and o.contact_id = own.contact_id
    where o.status = 'DELIVERED' and o.currency = %(currency)s
      and o.ordered_at >= (select min(s.started_at) from send s
                           where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s)
)
select c.order_id, c.external_order_id, c.contact_id, c.total, c.ordered_at, t.at
from candidate c
cross join lateral (
    select a.at, s.campaign_id
    from activity a
    join rule r on r.channel = a.channel and r.status = a.status
    join send s on s.org_id = a.org_id and s.send_id = a.send_id
    where a.org_id = %(org_id)s and a.contact_id = c.contact_id and a.at <= c.ordered_at
      and a.at > c.ordered_at - make_interval(days => %(longest)s) and a.at > c.ordered_at - make_interval(days => r.days)
      and not (s.tags && %(tags)s::text[]) and coalesce(a.meta ->> 'machine', '') = ''
    order by a.at desc, a.activity_id desc limit 1
) t
where t.campaign_id = %(campaign_id)s

-- name: engaged_people
select count(distinct (a.send_id, a.ordinal))::int,
       count(distinct (a.send_id, a.ordinal)) filter (where a.status = 'CLICKED')::int
from send s
join activity a on a.org_id = s.org_id and a.send_id = s.send_id and a.at >= s.started_at
where s.org_id = %(org_id)s and s.campaign_id = %(campaign_id)s and a.status in ('READ', 'CLICKED') and coalesce(a.meta ->> 'machine', '') = ''

-- name: organisation_rules
select currency, settings -> 'revenue' from organisation where org_id = %(org_id)s

-- name: set_rules
update organisation set settings = case when %(rules)s::jsonb is null then settings - 'revenue'
                                        else jsonb_set(settings, '{revenue}', %(rules)s::jsonb) end
where org_id = %(org_id)s
