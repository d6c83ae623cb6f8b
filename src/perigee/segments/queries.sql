-- name: static_ids
-- Lists by their names, which travel as one packed column (db/columns.py).
select name, segment_id
from segment
where org_id = %(org_id)s and kind = 'static' and name = any(string_to_array(%(names)s, E'\x1f', E'\x1e'));

-- name: insert_static
-- Names come sorted, so that two callers who make the same lists wait for each other in one order.
insert into segment (org_id, name, kind)
select %(org_id)s, name, 'static'
from unnest(string_to_array(%(names)s, E'\x1f', E'\x1e')) as given (name)
on conflict (org_id, name) where kind = 'static' do nothing;

-- name: insert_segment
insert into segment (org_id, name, kind, condition, description)
values (%(org_id)s, %(name)s, %(kind)s, %(condition)s::jsonb, %(description)s)
returning segment_id;

-- name: segment
select segment_id, name, kind, condition::text, description, created_at, updated_at, tags
from segment
where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: lock_segment
-- The row stays as it is until the caller's transaction ends: nobody turns or deletes it meanwhile.
select segment_id, name, kind, condition::text, description, created_at, updated_at, tags
from segment
where org_id = %(org_id)s and segment_id = %(segment_id)s
for key share;

-- name: segments_by_ids
select segment_id, name, kind, condition::text, description, created_at, updated_at, tags
from segment
where org_id = %(org_id)s and segment_id = any(%(segment_ids)s::bigint[]);

-- name: dynamic_segments
select segment_id, name, kind, condition::text, description, created_at, updated_at, tags
from segment
where org_id = %(org_id)s and kind = 'dynamic';

-- name: list_segments
-- By id, from behind `after`; `part` is looked for anywhere in the name, whatever its case.
select segment_id, name, kind, condition::text, description, created_at, updated_at, tags
from segment
where org_id = %(org_id)s and segment_id > %(after)s
  and (%(part)s::text is null or strpos(lower(name), lower(%(part)s::text)) > 0)
  and (%(tag)s::text is null or %(tag)s = any(tags))
order by segment_id
limit %(rows)s offset %(skip)s;

-- name: count_segments
select count(*)
from segment
where org_id = %(org_id)s and (%(part)s::text is null or strpos(lower(name), lower(%(part)s::text)) > 0);

-- name: update_segment
update segment
set name = %(name)s, description = %(description)s, condition = %(condition)s::jsonb, tags = %(tags)s, updated_at = now()
where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: change_tags
update segment s
set updated_at = now(), tags = array(
    select tag from unnest(s.tags || %(add)s::text[]) with ordinality as t (tag, n)
    where tag <> all(%(remove)s::text[]) group by tag order by min(n))
where s.org_id = %(org_id)s and s.segment_id = any(%(segment_ids)s::bigint[])
returning s.segment_id, cardinality(s.tags);

-- name: delete_segment
delete from segment where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: open_campaigns_with
-- Campaigns not yet launched that choose or exclude the segment: what would lose its audience with it.
select campaign_id
from campaign
where org_id = %(org_id)s and state in ('draft', 'scheduled', 'held')
  and (%(segment_id)s::bigint = any(include) or %(segment_id)s::bigint = any(exclude))
order by campaign_id
limit 1;

-- name: attach
-- People are named by their ids or the caller's own; unknown and deleted ones are skipped. Locking the contacts
-- keeps a membership from being written for one who is erased at this moment; in one order, so nobody deadlocks.
with chosen as (
    select contact_id
    from contact
    where org_id = %(org_id)s and deleted_at is null
      and (contact_id = any(%(contact_ids)s::bigint[]) or external_id = any(%(external_ids)s::text[]))
    order by contact_id
    for key share
)
insert into segment_member (org_id, segment_id, contact_id)
select %(org_id)s, %(segment_id)s, contact_id from chosen
on conflict (org_id, segment_id, contact_id) do nothing
returning contact_id;

-- name: detach
-- Deleted contacts leave too: a later restore must not bring them back into a list they were taken from.
delete from segment_member
where org_id = %(org_id)s and segment_id = %(segment_id)s
  and contact_id in (
    select contact_id
    from contact
    where org_id = %(org_id)s
      and (contact_id = any(%(contact_ids)s::bigint[]) or external_id = any(%(external_ids)s::text[]))
  )
returning contact_id;

-- name: empty
-- The live segments are told of everybody at once (segments/live/notes.py).
with gone as (
    delete from segment_member where org_id = %(org_id)s and segment_id = %(segment_id)s
    returning contact_id
), told as (
    insert into segment_dirty (org_id, contact_id, kinds)
    select %(org_id)s, gone.contact_id, %(kinds)s::bigint
    from segment_watch w, gone
    where w.org_id = %(org_id)s and w.kinds & %(kinds)s::bigint <> 0
)
select count(*) from gone;

-- name: catalogue_fields
select field_id, type from field where org_id = %(org_id)s and field_id = any(%(field_ids)s::bigint[]);

-- name: catalogue_event_types
-- A type that is not used for segments has no conditions.
select key, event_type_id from event_type
where org_id = %(org_id)s and key = any(%(keys)s::text[]) and use_for_segments;

-- name: catalogue_categories
select key, segment_id from subscription_category where org_id = %(org_id)s and key = any(%(keys)s::text[]);

-- name: catalogue_campaigns
select campaign_id from campaign where org_id = %(org_id)s and campaign_id = any(%(campaign_ids)s::bigint[]);

-- name: catalogue_messages
select message_id from message where org_id = %(org_id)s and message_id = any(%(message_ids)s::bigint[]);

-- name: organisation
select time_zone, currency from organisation where org_id = %(org_id)s;

-- name: facts_contacts
-- The people who are alive, with all that is on their own row. Columns of leaves/fields.py.
select contact_id, external_id, contact_key, email, phone, first_name, last_name, language, time_zone, region, town,
       street, postcode, source, created_at, updated_at, fields::text
from contact
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]) and deleted_at is null;

-- name: facts_addresses
select c.contact_id, a.kind, a.confirmed, a.unsubscribed_at, a.complained_at, a.blacklisted_at, a.blocked_until,
       a.soft_bounces, a.doubted_at, a.unsubscribe_source, a.unsubscribe_reason, a.blacklist_reason
from contact c
join address a on a.org_id = %(org_id)s
    and ((a.kind = 'email' and a.value = c.email) or (a.kind = 'phone' and a.value = c.phone))
where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_tokens
select t.contact_id, t.kind, t.app_id, t.active, t.created_at, t.device, w.domain
from push_token t
left join webpush_domain w on w.org_id = %(org_id)s and w.app_id::text = t.app_id
where t.org_id = %(org_id)s and t.contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_segments
select contact_id, segment_id, joined_at
from segment_member
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
  and segment_id = any(%(segment_ids)s::bigint[]);

-- name: facts_order_sums
select contact_id, delivered, delivered_total, delivered_first, delivered_last, orders, total, first_at, last_at
from contact_orders
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_orders
select contact_id, order_id, status, ordered_at, total, currency, source
from orders
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_order_items
select i.order_id, i.external_item_id, i.quantity
from orders o
join order_item i on i.org_id = %(org_id)s and i.order_id = o.order_id
where o.org_id = %(org_id)s and o.contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_rfm
select contact_id, grid, recency, frequency, since
from contact_rfm
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: facts_products
select product_id, name, brand, url, price, in_stock, categories, tags, currency
from product
where org_id = %(org_id)s and product_id = any(%(product_ids)s::text[]);

-- name: facts_product_changes
select product_id, changed_at, old_price, price, currency, old_in_stock, in_stock
from product_change
where org_id = %(org_id)s and product_id = any(%(product_ids)s::text[]);

-- name: facts_events
-- Of the parameters only those that are asked for, as text; of those that list things (`lists`) the things, of these
-- the members that are asked for, as text.
select contact_id, event_type_id, occurred_at,
       (select jsonb_object_agg(name, params ->> name) from unnest(%(params)s::text[]) as asked (name)),
       (select jsonb_object_agg(list, things)
        from unnest(%(lists)s::text[]) as asked (list),
             lateral (
                 select coalesce(jsonb_agg(coalesce(members, '{}') order by place), '[]') as things
                 from jsonb_array_elements(json_items(params -> list)) with ordinality as thing (item, place),
                      lateral (
                          select jsonb_object_agg(name, item ->> name) as members
                          from unnest(%(members)s::text[]) as asked (name)
                      ) as asked
             ) as listed
        where params ? list)
from event
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
  and event_type_id = any(%(event_type_ids)s::bigint[])
order by contact_id, event_type_id, occurred_at, event_id;

-- name: facts_deliveries
-- Columns of person.Message.
select d.contact_id, d.outcome, d.at, s.channel, d.send_id, d.ordinal, s.kind, s.campaign_id, s.message_id, s.tags,
       coalesce(m.subscriptions_keys, '{}'), null, v.variant, d.language,
       case when s.channel = 'email' then split_part(coalesce(d.address, c.email), '@', 2) end, d.at, array[d.reason]
from delivery d
join send s on s.org_id = %(org_id)s and s.send_id = d.send_id
join contact c on c.org_id = %(org_id)s and c.contact_id = d.contact_id
left join message m on m.org_id = %(org_id)s and m.message_id = s.message_id
left join send_variant v on %(details)s and v.org_id = %(org_id)s and v.send_id = d.send_id
    and d.ordinal between v.first_ordinal and v.last_ordinal
where d.org_id = %(org_id)s and d.contact_id = any(%(contact_ids)s::bigint[])
  and d.outcome = any(%(values)s::text[]);

-- name: facts_activity
-- Columns of person.Message. Without the hits of machines, as everywhere.
select a.contact_id, a.status, a.at, a.channel, a.send_id, a.ordinal, s.kind, s.campaign_id, s.message_id,
       coalesce(s.tags, '{}'), coalesce(m.subscriptions_keys, '{}'), a.detail, v.variant, d.language,
       case when s.channel = 'email' and d.send_id is not null then split_part(coalesce(d.address, c.email), '@', 2) end, d.at,
       case when a.status = 'UNDELIVERED' then array[a.detail]
            when %(details)s and a.status = 'UNSUBSCRIBED' then array(
                select l.reason from consent_log l
                where l.org_id = %(org_id)s and l.contact_id = a.contact_id and l.send_id = a.send_id
                  and l.action = 'unsubscribed')
            else '{}' end
from activity a
join contact c on c.org_id = %(org_id)s and c.contact_id = a.contact_id
left join send s on s.org_id = %(org_id)s and s.send_id = a.send_id
left join message m on m.org_id = %(org_id)s and m.message_id = s.message_id
left join send_variant v on %(details)s and v.org_id = %(org_id)s and v.send_id = a.send_id
    and a.ordinal between v.first_ordinal and v.last_ordinal
left join delivery d on %(details)s and d.org_id = %(org_id)s and d.contact_id = a.contact_id
    and d.send_id = a.send_id and d.ordinal = a.ordinal
where a.org_id = %(org_id)s and a.contact_id = any(%(contact_ids)s::bigint[]) and a.status = any(%(values)s::text[])
  and coalesce(a.meta ->> 'machine', '') = '';

-- name: lock_rules
-- Writers of segments take turns within an organisation: two conditions could else name each other.
select 1 from organisation where org_id = %(org_id)s for no key update;

-- name: bound
-- Sets both for this transaction and says what they were before.
-- across organisations: reads no table
select before.time_limit, before.work_mem,
       set_config('statement_timeout', %(limit)s, true), set_config('work_mem', %(work_mem)s, true)
from (select current_setting('statement_timeout'), current_setting('work_mem') offset 0) as before (time_limit, work_mem);

-- name: members_by_joining
-- In all four: members are contacts (erasing one takes its memberships), so the living are those not among the few
-- deleted, which have an index of their own. Asking for the living instead walks through all contacts.
select m.joined_at, m.contact_id
from segment_member m
where m.org_id = %(org_id)s and m.segment_id = %(segment_id)s
  and (%(key_time)s::timestamptz is null or (m.joined_at, m.contact_id) > (%(key_time)s, %(key_id)s::bigint))
  and not exists (select from contact c where c.org_id = %(org_id)s and c.contact_id = m.contact_id and c.deleted_at is not null)
order by m.joined_at, m.contact_id
limit %(rows)s offset %(skip)s;

-- name: members_by_joining_descending
select m.joined_at, m.contact_id
from segment_member m
where m.org_id = %(org_id)s and m.segment_id = %(segment_id)s
  and (%(key_time)s::timestamptz is null or (m.joined_at, m.contact_id) < (%(key_time)s, %(key_id)s::bigint))
  and not exists (select from contact c where c.org_id = %(org_id)s and c.contact_id = m.contact_id and c.deleted_at is not null)
order by m.joined_at desc, m.contact_id desc
limit %(rows)s offset %(skip)s;

-- name: members_by_id
select null::timestamptz, m.contact_id
from segment_member m
where m.org_id = %(org_id)s and m.segment_id = %(segment_id)s
  and (%(key_id)s = 0 or m.contact_id > %(key_id)s)
  and not exists (select from contact c where c.org_id = %(org_id)s and c.contact_id = m.contact_id and c.deleted_at is not null)
order by m.contact_id
limit %(rows)s offset %(skip)s;

-- name: members_by_id_descending
select null::timestamptz, m.contact_id
from segment_member m
where m.org_id = %(org_id)s and m.segment_id = %(segment_id)s
  and (%(key_id)s = 0 or m.contact_id < %(key_id)s)
  and not exists (select from contact c where c.org_id = %(org_id)s and c.contact_id = m.contact_id and c.deleted_at is not null)
order by m.contact_id desc
limit %(rows)s offset %(skip)s;

-- name: count_members
-- All rows of the list, without the few whose contacts are deleted.
select (select coalesce(sum(delta), 0) from member_tally where org_id = %(org_id)s and segment_id = %(segment_id)s)
     - (select count(*) from contact c
        where c.org_id = %(org_id)s and c.deleted_at is not null
          and exists (select from segment_member m where m.org_id = %(org_id)s and m.segment_id = %(segment_id)s and m.contact_id = c.contact_id));

-- name: fold_member_tally
-- across organisations: housekeeping. One row a list again; sums do not change.
with gone as (
    delete from member_tally
    where (org_id, segment_id) in (select org_id, segment_id from member_tally group by org_id, segment_id having count(*) > 1)
    returning org_id, segment_id, delta
)
insert into member_tally select org_id, segment_id, sum(delta) from gone group by org_id, segment_id;

-- name: category_of_segment
select key from subscription_category where org_id = %(org_id)s and segment_id = %(segment_id)s;

-- name: categories
-- With the number of living subscribers of each.
select s.category_id, s.key, s.segment_id, s.name, s.created_at, s.updated_at, coalesce(members.count, 0)
from subscription_category s
left join (
    select m.segment_id, count(*) as count
    from segment_member m
    join contact c on c.org_id = %(org_id)s and c.contact_id = m.contact_id and c.deleted_at is null
    where m.org_id = %(org_id)s
      and m.segment_id in (select segment_id from subscription_category where org_id = %(org_id)s)
    group by m.segment_id
) members on members.segment_id = s.segment_id
where s.org_id = %(org_id)s
order by s.category_id;

-- name: insert_category
insert into subscription_category (org_id, key, name, segment_id)
values (%(org_id)s, %(key)s, %(name)s, %(segment_id)s)
returning category_id, key, segment_id, name, created_at, updated_at;

-- name: rename_category
update subscription_category
set name = %(name)s, updated_at = now()
where org_id = %(org_id)s and category_id = %(category_id)s
returning category_id, key, segment_id, name, created_at, updated_at;

-- name: delete_category
delete from subscription_category
where org_id = %(org_id)s and category_id = %(category_id)s
returning segment_id;

-- name: categories_of_contact
select s.category_id, s.key, s.segment_id, s.name, s.created_at, s.updated_at
from subscription_category s
join segment_member m on m.org_id = %(org_id)s and m.segment_id = s.segment_id and m.contact_id = %(contact_id)s
where s.org_id = %(org_id)s
order by s.category_id;

-- name: contact_exists
select 1 from contact where org_id = %(org_id)s and contact_id = %(contact_id)s and deleted_at is null;

-- name: lock_contact
-- Whoever changes one person's categories takes turns.
select 1 from contact
where org_id = %(org_id)s and contact_id = %(contact_id)s and deleted_at is null
for no key update;

-- name: set_categories
-- The difference to what the contact has: left and joined lists, a line in the consent log for each, and where there is
-- a difference one row of activity with what the contact has now (contract 11.3), on the channel that reaches them.
with category as (
    select segment_id, key, key = any(%(keys)s::text[]) as wanted
    from subscription_category
    where org_id = %(org_id)s
), gone as (
    delete from segment_member
    where org_id = %(org_id)s and contact_id = %(contact_id)s
      and segment_id in (select segment_id from category where not wanted)
    returning segment_id
), joined as (
    insert into segment_member (org_id, segment_id, contact_id)
    select %(org_id)s, segment_id, %(contact_id)s from category where wanted
    on conflict (org_id, segment_id, contact_id) do nothing
    returning segment_id
), changed as (
    select segment_id from gone union all select segment_id from joined
), told as (
    insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta)
    select %(org_id)s, clock_timestamp(), 0, 0, %(contact_id)s,
           case when c.email is null and c.phone is not null then 'sms' else 'email' end, 'SUBSCRIPTION_CHANGED',
           jsonb_build_object('subscriptions', %(keys)s::text[])
    from contact c
    where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s and exists (select from changed)
)
insert into consent_log (org_id, kind, value, contact_id, action, source)
select %(org_id)s, 'category', key, %(contact_id)s, case when wanted then 'subscribed' else 'unsubscribed' end, %(source)s
from category
where segment_id in (select segment_id from changed);
