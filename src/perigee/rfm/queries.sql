-- name: lock_cells
-- A statement of its own, in one order: what follows sees what the holders before us committed.
select 1 from contact_rfm
where org_id = %(org_id)s and grid = %(grid)s
  and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[])
order by contact_id
for update;

-- name: place_sales
-- From the facts of orders, which the caller holds locked. Who has none any more leaves the grid. No set is joined with
-- another: planned by key, without statistics, that would be a loop in a loop.
with scope as (
    select o.time_zone, coalesce(g.day, (statement_timestamp() at time zone o.time_zone)::date) as day
    from organisation o
    left join rfm_grid g on g.org_id = %(org_id)s and g.grid = 'sales'
    where o.org_id = %(org_id)s
), facts as materialized (
    select given.contact_id, coalesce(f.delivered, 0) as times, f.delivered_last as last_at,
           coalesce(f.delivered_total, 0) as total, was_recency, was_frequency
    from unnest(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]) as given (contact_id)
    left join lateral (
        select delivered, delivered_last, delivered_total from contact_orders
        where org_id = %(org_id)s and contact_id = given.contact_id
        offset 0
    ) f on true
    left join lateral (
        select recency as was_recency, frequency as was_frequency from contact_rfm
        where org_id = %(org_id)s and grid = 'sales' and contact_id = given.contact_id
        offset 0
    ) b on true
), place as materialized (
    select contact_id, times, last_at, total, was_recency, was_frequency,
           (width_bucket(day - (last_at at time zone time_zone)::date, %(recency_from)s::int[]) + 1)::smallint
               as recency,
           (width_bucket(times, %(frequency_from)s::int[]) + 1)::smallint as frequency
    from facts cross join scope
    where times > 0
), gone as (
    delete from contact_rfm
    where org_id = %(org_id)s and grid = 'sales'
      and contact_id = any(array(select contact_id from facts where times = 0))
), placed as (
    insert into contact_rfm as c (org_id, grid, contact_id, recency, frequency, times, last_at, total, since)
    select %(org_id)s, 'sales', contact_id, recency, frequency, times, last_at, total, statement_timestamp()
    from place
    on conflict (org_id, grid, contact_id) do update
    set recency = excluded.recency, frequency = excluded.frequency, times = excluded.times,
        last_at = excluded.last_at, total = excluded.total,
        since = case when (c.recency, c.frequency) = (excluded.recency, excluded.frequency)
                     then c.since else excluded.since end
    where (c.recency, c.frequency, c.times, c.last_at, c.total)
       <> (excluded.recency, excluded.frequency, excluded.times, excluded.last_at, excluded.total)
)
insert into rfm_move (
    org_id, grid, at, contact_id, from_recency, from_frequency, to_recency, to_frequency
)
select %(org_id)s, 'sales', statement_timestamp(), contact_id,
       was_recency, was_frequency, recency, frequency
from place
where (was_recency, was_frequency) <> (recency, frequency)
returning contact_id, from_recency, from_frequency, to_recency, to_frequency;

-- name: place_mail
-- From the activity: messages that somebody opened. Who clicked has opened, even with images off; hits of machines
-- count nowhere, as in all reports.
with scope as (
    select o.time_zone, coalesce(g.day, (statement_timestamp() at time zone o.time_zone)::date) as day
    from organisation o
    left join rfm_grid g on g.org_id = %(org_id)s and g.grid = 'mail'
    where o.org_id = %(org_id)s
), facts as materialized (
    select given.contact_id, f.times, f.last_at, was_recency, was_frequency
    from unnest(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]) as given (contact_id)
    cross join lateral (
        select count(distinct (send_id, ordinal))::int as times, max(at) as last_at from activity
        where org_id = %(org_id)s and contact_id = given.contact_id and channel = 'email'
          and status in ('READ', 'CLICKED') and coalesce(meta ->> 'machine', '') = ''
        offset 0
    ) f
    left join lateral (
        select recency as was_recency, frequency as was_frequency from contact_rfm
        where org_id = %(org_id)s and grid = 'mail' and contact_id = given.contact_id
        offset 0
    ) b on true
), place as materialized (
    select contact_id, times, last_at, was_recency, was_frequency,
           (width_bucket(day - (last_at at time zone time_zone)::date, %(recency_from)s::int[]) + 1)::smallint
               as recency,
           (width_bucket(times, %(frequency_from)s::int[]) + 1)::smallint as frequency
    from facts cross join scope
    where times > 0
), gone as (
    delete from contact_rfm
    where org_id = %(org_id)s and grid = 'mail'
      and contact_id = any(array(select contact_id from facts where times = 0))
), placed as (
    insert into contact_rfm as c (org_id, grid, contact_id, recency, frequency, times, last_at, since)
    select %(org_id)s, 'mail', contact_id, recency, frequency, times, last_at, statement_timestamp()
    from place
    on conflict (org_id, grid, contact_id) do update
    set recency = excluded.recency, frequency = excluded.frequency, times = excluded.times,
        last_at = excluded.last_at,
        since = case when (c.recency, c.frequency) = (excluded.recency, excluded.frequency)
                     then c.since else excluded.since end
    where (c.recency, c.frequency, c.times, c.last_at)
       <> (excluded.recency, excluded.frequency, excluded.times, excluded.last_at)
)
insert into rfm_move (
    org_id, grid, at, contact_id, from_recency, from_frequency, to_recency, to_frequency
)
select %(org_id)s, 'mail', statement_timestamp(), contact_id,
       was_recency, was_frequency, recency, frequency
from place
where (was_recency, was_frequency) <> (recency, frequency)
returning contact_id, from_recency, from_frequency, to_recency, to_frequency;

-- name: grids_behind
-- across organisations: a worker looks for grids whose columns are not those of today.
select o.org_id, given.grid, (%(now)s::timestamptz at time zone o.time_zone)::date
from organisation o
cross join (values ('mail'), ('sales')) as given (grid)
left join rfm_grid g on g.org_id = o.org_id and g.grid = given.grid
where g.day is null or g.day < (%(now)s::timestamptz at time zone o.time_zone)::date;

-- name: begin_day
-- Whoever is placed from now on is placed by this day. A day never comes back.
insert into rfm_grid (org_id, grid, day) values (%(org_id)s, %(grid)s, %(day)s)
on conflict (org_id, grid) do update set day = greatest(rfm_grid.day, excluded.day);

-- name: move_on
-- Those whose last time lies too far back for their column, so many of each column at a time. Who is being placed at this
-- moment is left to that transaction.
with zone as (
    select time_zone from organisation where org_id = %(org_id)s
), border as (
    select n::smallint as recency, (%(day)s::date - from_days + 1)::timestamp at time zone time_zone as before
    from unnest(%(recency_from)s::int[]) with ordinality as given (from_days, n) cross join zone
), late as materialized (
    select r.contact_id, r.recency, r.frequency, r.last_at
    from border cross join lateral (
        select contact_id, recency, frequency, last_at from contact_rfm
        where org_id = %(org_id)s and grid = %(grid)s and recency = border.recency and recency > 0
          and last_at < border.before
        order by last_at
        limit %(limit)s
        for update skip locked
    ) r
), moved as (
    update contact_rfm c
    set recency = width_bucket(
            %(day)s::date - (late.last_at at time zone zone.time_zone)::date, %(recency_from)s::int[]
        ) + 1,
        since = statement_timestamp()
    from late cross join zone
    where c.org_id = %(org_id)s and c.grid = %(grid)s and c.contact_id = late.contact_id
    returning c.contact_id, c.frequency, late.recency as was_recency, c.recency
)
insert into rfm_move (
    org_id, grid, at, contact_id, from_recency, from_frequency, to_recency, to_frequency
)
select %(org_id)s, %(grid)s, statement_timestamp(), contact_id,
       was_recency, frequency, recency, frequency
from moved
returning contact_id, from_recency, from_frequency, to_recency, to_frequency;

-- name: facts_behind
-- The next contacts, by id, that have bought and have no cell: they bought before there were grids.
select contact_id from contact_orders f
where org_id = %(org_id)s and contact_id > %(behind)s and delivered > 0 and not exists (
    select from contact_rfm
    where org_id = %(org_id)s and grid = 'sales' and contact_id = f.contact_id
)
order by contact_id
limit %(limit)s
for update;

-- name: mail_behind
-- across organisations: a worker looks for those with opens and clicks behind their mark.
select o.org_id
from organisation o
left join rfm_grid g on g.org_id = o.org_id and g.grid = 'mail'
where exists (
    select from activity a
    where a.org_id = o.org_id and a.status in ('READ', 'CLICKED') and a.at >= coalesce(g.seen_at, '2000-01-01 00:00+00')
      and (a.at, a.activity_id) > (coalesce(g.seen_at, '2000-01-01 00:00+00'), coalesce(g.seen_id, 0))
);

-- name: open_mail
insert into rfm_grid (org_id, grid, day)
select org_id, 'mail', (statement_timestamp() at time zone time_zone)::date
from organisation where org_id = %(org_id)s
on conflict (org_id, grid) do nothing;

-- name: lock_mail
-- Whoever places people in the grid of mails takes turns.
select seen_at, seen_id from rfm_grid where org_id = %(org_id)s and grid = 'mail' for update;

-- name: opened
-- The next opens and clicks behind the mark: the new mark, how many, and whose.
with found as (
    (select at, activity_id, contact_id, channel from activity
     where org_id = %(org_id)s and status = 'READ' and at >= %(seen_at)s and at < %(until)s
       and (at, activity_id) > (%(seen_at)s, %(seen_id)s)
     order by at, activity_id limit %(limit)s)
    union all
    (select at, activity_id, contact_id, channel from activity
     where org_id = %(org_id)s and status = 'CLICKED' and at >= %(seen_at)s and at < %(until)s
       and (at, activity_id) > (%(seen_at)s, %(seen_id)s)
     order by at, activity_id limit %(limit)s)
), page as materialized (
    select * from found order by at, activity_id limit %(limit)s
), final as (
    select at, activity_id from page order by at desc, activity_id desc limit 1
)
select final.at, final.activity_id, (select count(*) from page),
       array(select distinct contact_id from page where contact_id <> 0 and channel = 'email' order by 1)
from final;

-- name: note_seen
update rfm_grid set seen_at = %(seen_at)s, seen_id = %(seen_id)s where org_id = %(org_id)s and grid = 'mail';

-- name: raised
-- Whether moves in this grid raise events, and which.
select moves from rfm_grid where org_id = %(org_id)s and grid = %(grid)s and raise;

-- name: settings
select (select coalesce(g.day, (statement_timestamp() at time zone o.time_zone)::date)),
       coalesce(g.raise, false), coalesce(g.moves, '[]')
from organisation o
left join rfm_grid g on g.org_id = %(org_id)s and g.grid = %(grid)s
where o.org_id = %(org_id)s;

-- name: change_settings
insert into rfm_grid (org_id, grid, day, raise, moves)
select %(org_id)s, %(grid)s, (statement_timestamp() at time zone time_zone)::date,
       coalesce(%(raise)s::boolean, false), coalesce(%(moves)s::jsonb, '[]')
from organisation where org_id = %(org_id)s
on conflict (org_id, grid) do update
set raise = coalesce(%(raise)s::boolean, rfm_grid.raise), moves = coalesce(%(moves)s::jsonb, rfm_grid.moves);

-- name: cells
-- Living contacts. What narrows them is put in by the caller. The deleted ones are few and hashed: without statistics a
-- join would look for each contact in a wrong index (measured: 54 s instead of 0.05 for 23,570).
select r.recency, r.frequency, count(*), sum(r.total)
from contact_rfm r
where r.org_id = %(org_id)s and r.grid = %(grid)s and r.contact_id not in (
    select contact_id from contact where org_id = %(org_id)s and deleted_at is not null
) /* narrowed */
group by r.recency, r.frequency;

-- name: in_cell
-- Living contacts of a cell, by id.
select r.contact_id, c.external_id, c.email, c.phone, r.times, r.total, r.last_at, r.since
from contact_rfm r
join contact c on c.org_id = %(org_id)s and c.contact_id = r.contact_id and c.deleted_at is null
where r.org_id = %(org_id)s and r.grid = %(grid)s and r.recency = %(recency)s and r.frequency = %(frequency)s
  and r.frequency > 0 and r.contact_id > %(behind)s
order by r.contact_id
limit %(limit)s;

-- name: ids_in_cell
select contact_id from contact_rfm
where org_id = %(org_id)s and grid = %(grid)s and recency = %(recency)s and frequency = %(frequency)s
  and frequency > 0 and contact_id > %(behind)s
order by contact_id
limit %(limit)s;

-- name: moves
-- Newest first; `before` 0 is the first page.
select move_id, at, contact_id, from_recency, from_frequency, to_recency, to_frequency
from rfm_move
where org_id = %(org_id)s and grid = %(grid)s and (%(before)s = 0 or move_id < %(before)s)
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
order by move_id desc
limit %(limit)s;

-- name: prune
-- across organisations: housekeeping. Two years, as long as events.
delete from rfm_move where at < %(before)s;
