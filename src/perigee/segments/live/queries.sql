-- name: note
-- Contacts with what changed of them; nothing is written where no live segment looks at it.
insert into segment_dirty (org_id, contact_id, kinds)
select %(org_id)s, given.contact_id, given.kinds
from segment_watch w, unnest(
    string_to_array(%(contact_ids)s, E'\x1f')::bigint[], string_to_array(%(kinds)s, E'\x1f')::bigint[]
) as given (contact_id, kinds)
where w.org_id = %(org_id)s and w.kinds & given.kinds <> 0;

-- name: note_holders
-- The same for all who hold these addresses.
insert into segment_dirty (org_id, contact_id, kinds)
select %(org_id)s, holder.contact_id, %(kinds)s::bigint
from segment_watch w, unnest(
    string_to_array(%(address_kinds)s, E'\x1f', E'\x1e'), string_to_array(%(values)s, E'\x1f', E'\x1e')
) as given (kind, value), lateral (
    select c.contact_id from contact c
    where c.org_id = %(org_id)s and given.kind = 'email' and c.email = given.value
    union
    select c.contact_id from contact c
    where c.org_id = %(org_id)s and given.kind = 'phone' and c.phone = given.value
    offset 0
) as holder
where w.org_id = %(org_id)s and w.kinds & %(kinds)s::bigint <> 0;

-- name: note_ended_blocks
-- Who holds an address that may be written to again since the last look.
insert into segment_dirty (org_id, contact_id, kinds)
select %(org_id)s, c.contact_id, %(kinds)s::bigint
from segment_watch w
join address a on a.org_id = %(org_id)s and a.blocked_until > w.blocks_at and a.blocked_until <= %(now)s
join contact c on c.org_id = %(org_id)s
    and ((a.kind = 'email' and c.email = a.value) or (a.kind = 'phone' and c.phone = a.value))
where w.org_id = %(org_id)s and w.kinds & %(kinds)s::bigint <> 0;

-- name: blocks_seen
update segment_watch set blocks_at = %(now)s where org_id = %(org_id)s;

-- name: watch
-- Rules of the organisation changed: what they look at now counts from this transaction's end on.
insert into segment_watch as w (org_id, kinds, version) values (%(org_id)s, %(kinds)s, 1)
on conflict (org_id) do update
set kinds = w.kinds | excluded.kinds, version = w.version + 1, checked_at = '2000-01-01 00:00+00';

-- name: drop
update segment_state set status = 'dropped', due_at = %(now)s
where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: sweep
-- Rows of a dropped segment, some thousand at a time.
delete from segment_live
where org_id = %(org_id)s and segment_id = %(segment_id)s and contact_id in (
    select contact_id from segment_live where org_id = %(org_id)s and segment_id = %(segment_id)s limit %(rows)s
);

-- name: forget
with changes as (
    delete from segment_change where org_id = %(org_id)s and segment_id = %(segment_id)s
), growth as (
    delete from segment_growth where org_id = %(org_id)s and segment_id = %(segment_id)s
)
delete from segment_state where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: busy
-- across organisations: who has something waiting; it is worked in one by one.
select w.org_id, lane.lane
from segment_watch w cross join (values (0), (1)) as lane (lane)
where exists (select from segment_dirty d where d.org_id = w.org_id and d.lane = lane.lane)
order by lane.lane, w.drained_at nulls first;

-- name: unchecked
-- across organisations: whose rules nobody looked at for a while; they are looked at one by one.
select org_id from segment_watch where checked_at < %(before)s order by checked_at limit 100;

-- name: lock_organisation
-- Who works changes in is alone in an organisation until its transaction ends.
select pg_advisory_xact_lock(hashtextextended('perigee live segments', %(org_id)s));

-- name: try_lock_organisation
select pg_try_advisory_xact_lock(hashtextextended('perigee live segments', %(org_id)s));

-- name: claim
-- The oldest. Up to a bound, and not by a list of entries: a queue that has just grown is not analysed yet, and joining it
-- with itself took seconds then.
delete from segment_dirty
where org_id = %(org_id)s and lane = %(lane)s and entry_id <= (
    select max(entry_id) from (
        select entry_id from segment_dirty
        where org_id = %(org_id)s and lane = %(lane)s
        order by entry_id limit %(rows)s
    ) as oldest
)
returning contact_id, kinds;

-- name: version
select version from segment_watch where org_id = %(org_id)s;

-- name: followed
-- The segments that changes are worked into.
select segment_id from segment_state where org_id = %(org_id)s and status in ('ready', 'settling');

-- name: states
select segment_id, status, shape, kinds from segment_state where org_id = %(org_id)s;

-- name: look_at
-- What the rules look at by now. Who has nothing waiting is right to this moment.
update segment_watch w
set kinds = coalesce((select bit_or(kinds) from segment_state where org_id = %(org_id)s and status <> 'dropped'), 0),
    checked_at = %(now)s,
    drained_at = case when exists (select from segment_dirty where org_id = %(org_id)s) then drained_at
                      else %(now)s end
where org_id = %(org_id)s and version = %(version)s;

-- name: reshaped
-- Rules that read otherwise than when they were last worked out: something that they name has changed. A new version, so
-- that nobody goes on with what they remember.
with news as (
    update segment_watch set version = version + 1 where org_id = %(org_id)s
)
update segment_state s
set kinds = s.kinds | given.kinds, due_at = %(now)s, horizon = null
from unnest(%(segment_ids)s::bigint[], %(kinds)s::bigint[]) as given (segment_id, kinds)
where s.org_id = %(org_id)s and s.segment_id = given.segment_id and s.status <> 'dropped';

-- name: tally
-- Counts and the day's growth of the segments that somebody came into or left. `left` is a word of SQL.
with given as (
    select * from unnest(%(segment_ids)s::bigint[], %(joined)s::bigint[], %(gone)s::bigint[]) as g (segment_id, joined, gone)
), counted as (
    update segment_state s set count = s.count + given.joined - given.gone, evaluated_at = %(now)s
    from given
    where s.org_id = %(org_id)s and s.segment_id = given.segment_id
    returning s.segment_id, s.count, given.joined, given.gone
)
insert into segment_growth as g (org_id, segment_id, day, count, joined, "left")
select %(org_id)s, segment_id, %(day)s, count, joined, gone from counted
on conflict (org_id, segment_id, day) do update
set count = excluded.count, joined = g.joined + excluded.joined, "left" = g."left" + excluded."left";

-- name: note_count
-- The day's figure without anybody coming or going.
insert into segment_growth as g (org_id, segment_id, day, count, joined, "left")
values (%(org_id)s, %(segment_id)s, %(day)s, %(count)s, 0, 0)
on conflict (org_id, segment_id, day) do update set count = excluded.count;

-- name: drained
update segment_watch set drained_at = %(now)s where org_id = %(org_id)s;

-- name: standing
-- A segment whose count is right to this moment says so: nothing waits, and no date makes it change before.
select s.segment_id, s.status, s.count, greatest(s.evaluated_at, case when s.status = 'ready' then w.drained_at end), s.error
from segment_state s join segment_watch w on w.org_id = %(org_id)s
where s.org_id = %(org_id)s and s.segment_id = any(%(segment_ids)s::bigint[]) and s.status <> 'dropped';

-- name: growth
select day, count, joined, "left" from segment_growth
where org_id = %(org_id)s and segment_id = %(segment_id)s and day between %(first)s and %(last)s
order by day;

-- name: segments_of_contact
-- Dynamic segments that the contact is in, by id.
select s.segment_id, s.name, l.since
from segment_live l join segment s on s.org_id = %(org_id)s and s.segment_id = l.segment_id
where l.org_id = %(org_id)s and l.contact_id = %(contact_id)s
order by s.segment_id;

-- name: changes
-- Who came in and who left, oldest first, behind `after`.
select change_id, contact_id, joined, at from segment_change
where org_id = %(org_id)s and segment_id = %(segment_id)s and change_id > %(after)s
order by change_id limit %(rows)s;

-- name: erase
with live as (
    delete from segment_live where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    returning segment_id
), changes as (
    delete from segment_change where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), counted as (
    select segment_id, count(*) as gone from live group by segment_id
)
update segment_state s set count = s.count - counted.gone
from counted where s.org_id = %(org_id)s and s.segment_id = counted.segment_id;

-- name: prune_changes
-- across organisations: what is older than anybody asks for.
delete from segment_change where at < %(before)s;

-- name: request
-- A segment is to be worked out as a whole; `rebuild`: without telling who came and went.
insert into segment_state as s (org_id, segment_id, kinds, due_at)
values (%(org_id)s, %(segment_id)s, %(kinds)s, %(now)s)
on conflict (org_id, segment_id) do update
set due_at = excluded.due_at, kinds = s.kinds | excluded.kinds,
    status = case when %(rebuild)s then 'building' else s.status end;

-- name: take_due
-- across organisations: the segment that waits longest to be worked out as a whole. It is due again when its lease ends,
-- should whoever takes it die; a request meanwhile makes it due at once.
update segment_state s set due_at = %(lease)s
from (
    select org_id, segment_id from segment_state where due_at <= %(now)s
    order by due_at limit 1 for update skip locked
) as waiting
where s.org_id = waiting.org_id and s.segment_id = waiting.segment_id
returning s.org_id, s.segment_id, s.status;

-- name: put_back
-- Nothing was found out: it is tried again sooner than the lease ends.
update segment_state set due_at = %(due_at)s
where org_id = %(org_id)s and segment_id = %(segment_id)s and due_at = %(lease)s;

-- name: widen
with state as (
    update segment_state set kinds = %(kinds)s where org_id = %(org_id)s and segment_id = %(segment_id)s
)
update segment_watch set kinds = kinds | %(kinds)s where org_id = %(org_id)s and kinds & %(kinds)s <> %(kinds)s;

-- name: mark_horizon
-- Every transaction that may have changed something without telling has a number below this one.
update segment_state set horizon = pg_snapshot_xmax(pg_current_snapshot()), shape = %(shape)s
where org_id = %(org_id)s and segment_id = %(segment_id)s and (horizon is null or shape <> %(shape)s);

-- name: settled
-- Whether all those transactions have ended.
select pg_snapshot_xmin(pg_current_snapshot()) >= horizon from segment_state
where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: built
-- By whoever still has the lease.
update segment_state
set status = %(status)s, error = null, evaluated_at = %(now)s, took_ms = %(took_ms)s, due_at = %(due_at)s,
    count = (select count(*) from segment_live where org_id = %(org_id)s and segment_id = %(segment_id)s)
where org_id = %(org_id)s and segment_id = %(segment_id)s and due_at = %(lease)s and status <> 'dropped'
returning count;

-- name: failed
update segment_state set status = %(status)s, error = %(error)s, due_at = %(due_at)s
where org_id = %(org_id)s and segment_id = %(segment_id)s and status <> 'dropped'
  and (due_at = %(lease)s or %(lease)s::timestamptz is null);

-- name: follow
-- Changes are worked in from now on.
update segment_state set status = 'settling', evaluated_at = %(now)s
where org_id = %(org_id)s and segment_id = %(segment_id)s and due_at = %(lease)s and status in ('building', 'failed', 'too_expensive');
