-- name: shared_emails
-- Groups of living contacts with one email, in the order of emails; walks the index from behind `after`.
select email, count(*), (array_agg(contact_id order by contact_id))[:%(most)s::int]
from contact
where org_id = %(org_id)s and deleted_at is null and email is not null
  and (%(after)s::text is null or email > %(after)s)
group by email having count(*) > 1
order by email
limit %(rows)s;

-- name: shared_phones
select phone, count(*), (array_agg(contact_id order by contact_id))[:%(most)s::int]
from contact
where org_id = %(org_id)s and deleted_at is null and phone is not null
  and (%(after)s::text is null or phone > %(after)s)
group by phone having count(*) > 1
order by phone
limit %(rows)s;

-- name: addresses_of
select email, phone from contact where org_id = %(org_id)s and contact_id = %(contact_id)s;

-- name: count_shared
select count(*) filter (where kind = 'email'), coalesce(sum(people) filter (where kind = 'email'), 0)::bigint,
       count(*) filter (where kind = 'phone'), coalesce(sum(people) filter (where kind = 'phone'), 0)::bigint
from (
    select 'email' as kind, count(*) as people from contact
    where org_id = %(org_id)s and deleted_at is null and email is not null
    group by email having count(*) > 1
    union all
    select 'phone', count(*) from contact
    where org_id = %(org_id)s and deleted_at is null and phone is not null
    group by phone having count(*) > 1
) shared;

-- name: lock_cards
-- In one order, so that two merges of the same people wait for each other; an upsert of one of them waits, too, and
-- then finds the survivor.
select to_jsonb(c)::text from contact c
where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]) and c.deleted_at is null
order by c.contact_id
for update;

-- name: insert_merges
insert into contact_merge (org_id, survivor_id, merged_id, merged_by, survivor_card, merged_card, written_card)
select %(org_id)s, (m ->> 0)::bigint, (m ->> 1)::bigint, %(merged_by)s, m -> 2, m -> 3, m -> 4
from jsonb_array_elements(%(merges)s::jsonb) with ordinality as given (m, n)
order by n
returning merge_id;

-- name: move_members
-- Lists of both. A category that the survivor left stays left, whatever the other one had.
with gone as (
    delete from segment_member s using contact_merge m
    where m.org_id = %(org_id)s and m.merge_id = any(%(merge_ids)s::bigint[])
      and s.org_id = %(org_id)s and s.contact_id = m.merged_id
    returning m.merge_id, m.survivor_id, s.segment_id, s.joined_at
), joined as (
    insert into segment_member (org_id, segment_id, contact_id, joined_at)
    select %(org_id)s, g.segment_id, g.survivor_id, g.joined_at
    from gone g
    where not exists (
        select from subscription_category k
        cross join lateral (
            select action from consent_log l
            where l.org_id = %(org_id)s and l.contact_id = g.survivor_id and l.kind = 'category' and l.value = k.key
            order by l.at desc, l.log_id desc limit 1
        ) as last
        where k.org_id = %(org_id)s and k.segment_id = g.segment_id and last.action = 'unsubscribed'
    )
    on conflict (org_id, segment_id, contact_id) do nothing
    returning segment_id, contact_id
)
insert into contact_moved (org_id, merge_id, place, keys)
select %(org_id)s, g.merge_id, 'segment_member',
       jsonb_agg(jsonb_build_array(g.segment_id, g.joined_at, j.segment_id is not null))
from gone g left join joined j on j.segment_id = g.segment_id and j.contact_id = g.survivor_id
group by g.merge_id;

-- name: move_back_members
-- Into lists that are still there.
with moved as (
    select m.survivor_id, m.merged_id, (k ->> 0)::bigint as segment_id, (k ->> 1)::timestamptz as joined_at,
           (k ->> 2)::boolean as joined
    from contact_merge m
    join contact_moved v on v.org_id = m.org_id and v.merge_id = m.merge_id and v.place = 'segment_member'
    cross join lateral jsonb_array_elements(v.keys) as k
    where m.org_id = %(org_id)s and m.merge_id = %(merge_id)s
), gone as (
    delete from segment_member s using moved
    where moved.joined and s.org_id = %(org_id)s and s.segment_id = moved.segment_id and s.contact_id = moved.survivor_id
)
insert into segment_member (org_id, segment_id, contact_id, joined_at)
select %(org_id)s, moved.segment_id, moved.merged_id, moved.joined_at
from moved join segment g on g.org_id = %(org_id)s and g.segment_id = moved.segment_id
on conflict (org_id, segment_id, contact_id) do nothing;

-- name: delete_merged
-- Their card is kept with the merge. Facts are counted anew, tokens of inboxes are asked for anew.
with gone as (
    delete from contact where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), facts as (
    delete from contact_orders where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), cells as (
    delete from contact_rfm where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
)
delete from inbox_session where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: write_cards
update contact c
set external_id = n.external_id, email = n.email, phone = n.phone, first_name = n.first_name,
    last_name = n.last_name, contact_key = n.contact_key, language = n.language, time_zone = n.time_zone,
    region = n.region, town = n.town, street = n.street, postcode = n.postcode, fields = n.fields,
    orders_info = n.orders_info, source = n.source, created_at = n.created_at, updated_at = n.updated_at
from jsonb_populate_recordset(null::contact, %(cards)s::jsonb) as n
where c.org_id = %(org_id)s and c.contact_id = n.contact_id;

-- name: bring_back
insert into contact
select n.* from jsonb_populate_record(null::contact, %(card)s::jsonb) as n where n.org_id = %(org_id)s;

-- name: buyers_of
-- Whose orders moved: their facts are to be counted anew.
select distinct m.survivor_id, m.merged_id
from contact_merge m
join contact_moved v on v.org_id = m.org_id and v.merge_id = m.merge_id and v.place = 'orders'
where m.org_id = %(org_id)s and m.merge_id = any(%(merge_ids)s::bigint[]);

-- name: forget_empty_facts
delete from contact_orders f
where f.org_id = %(org_id)s and f.contact_id = any(%(contact_ids)s::bigint[])
  and not exists (select from orders o where o.org_id = %(org_id)s and o.contact_id = f.contact_id);

-- name: lock_merge
select survivor_id, merged_id, survivor_card::text, merged_card::text, written_card::text, undone_at
from contact_merge
where org_id = %(org_id)s and merge_id = %(merge_id)s
for update;

-- name: later_merge
-- A merge in which the survivor was merged away itself, and that still holds.
select merge_id from contact_merge
where org_id = %(org_id)s and merged_id = %(contact_id)s and undone_at is null
order by merge_id desc limit 1;

-- name: close_merge
with moved as (
    delete from contact_moved where org_id = %(org_id)s and merge_id = %(merge_id)s
)
update contact_merge
set undone_at = now(), undone_by = %(undone_by)s, survivor_card = null, merged_card = null, written_card = null
where org_id = %(org_id)s and merge_id = %(merge_id)s;

-- name: list_merges
select merge_id, survivor_id, merged_id, merged_by, at, undone_by, undone_at, merged_card is not null
from contact_merge
where org_id = %(org_id)s and (%(before)s = 0 or merge_id < %(before)s)
  and (%(contact_id)s::bigint is null or survivor_id = %(contact_id)s or merged_id = %(contact_id)s)
  and (%(merge_id)s::bigint is null or merge_id = %(merge_id)s)
order by merge_id desc
limit %(rows)s;

-- name: unswept
-- across organisations: housekeeping; upkeep goes on from there one organisation at a time.
select org_id, array_agg(merge_id order by merge_id) from contact_merge
where not swept and at < now() - make_interval(secs => %(seconds)s)
group by org_id;

-- name: note_swept
update contact_merge set swept = true where org_id = %(org_id)s and merge_id = any(%(merge_ids)s::bigint[]);

-- name: close_windows
-- across organisations: housekeeping. The line stays as history, about nobody's data.
with late as (
    update contact_merge set survivor_card = null, merged_card = null, written_card = null
    where merged_card is not null and swept and at < now() - make_interval(days => %(days)s)
    returning org_id, merge_id
)
delete from contact_moved v using late where v.org_id = late.org_id and v.merge_id = late.merge_id;

-- name: insert_run
insert into merge_run (org_id, shared, keep, groups, asked_by)
values (%(org_id)s, %(shared)s, %(keep)s, %(groups)s, %(asked_by)s)
returning run_id;

-- name: get_run
select run_id, shared, keep, state, groups, seen, merged, refused, asked_by, created_at, updated_at
from merge_run where org_id = %(org_id)s and run_id = %(run_id)s;

-- name: begin_run
update merge_run set state = 'running', updated_at = now()
where org_id = %(org_id)s and run_id = %(run_id)s and state in ('waiting', 'running')
returning shared, keep, asked_by;

-- name: lock_run
-- Between two steps: goes on unless somebody cancelled it.
select 1 from merge_run where org_id = %(org_id)s and run_id = %(run_id)s and state = 'running' for update;

-- name: advance_run
update merge_run
set seen = seen + %(seen)s, merged = merged + %(merged)s, refused = refused + %(refused)s, updated_at = now()
where org_id = %(org_id)s and run_id = %(run_id)s;

-- name: end_run
update merge_run set state = %(state)s, updated_at = now()
where org_id = %(org_id)s and run_id = %(run_id)s and state in ('waiting', 'running')
returning 1;
