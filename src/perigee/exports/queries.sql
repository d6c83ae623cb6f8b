-- name: insert_export
insert into export (org_id, kind, request, lists) values (%(org_id)s, %(kind)s, %(request)s::jsonb, %(lists)s::bigint[])
returning export_id;

-- name: get_export
select export_id, kind, request, state, total, done, pieces, place, bytes, attached, lists, error, created_at, started_at,
       moved_at, finished_at
from export where org_id = %(org_id)s and export_id = %(export_id)s;

-- name: lock_export
select export_id, kind, request, state, total, done, pieces, place, bytes, attached, lists, error, created_at, started_at,
       moved_at, finished_at
from export where org_id = %(org_id)s and export_id = %(export_id)s for update;

-- name: list_exports
select export_id, kind, request, state, total, done, pieces, place, bytes, attached, lists, error, created_at, started_at,
       moved_at, finished_at
from export
where org_id = %(org_id)s and (%(before)s = 0 or export_id < %(before)s)
order by export_id desc
limit %(limit)s;

-- name: start_export
update export set state = 'running', total = %(total)s, started_at = now(), moved_at = now()
where org_id = %(org_id)s and export_id = %(export_id)s;

-- name: move_export
update export
set done = done + %(rows)s, bytes = bytes + %(bytes)s, pieces = pieces + %(pieces)s, attached = attached + %(attached)s,
    place = %(place)s::jsonb, moved_at = now(),
    state = case when %(last)s then 'done' else state end, finished_at = case when %(last)s then now() end
where org_id = %(org_id)s and export_id = %(export_id)s;

-- name: end_export
-- What is over stays as it is; the file goes.
with ended as (
    update export
    set state = %(state)s, error = %(error)s, finished_at = now(), bytes = 0, pieces = 0
    where org_id = %(org_id)s and export_id = %(export_id)s and state in ('waiting', 'running')
    returning export_id
), people as (
    delete from export_person using ended
    where export_person.org_id = %(org_id)s and export_person.export_id = ended.export_id
), pieces as (
    delete from export_piece using ended
    where export_piece.org_id = %(org_id)s and export_piece.export_id = ended.export_id
)
select export_id from ended;

-- name: delete_export
with gone as (
    delete from export where org_id = %(org_id)s and export_id = %(export_id)s returning export_id
), people as (
    delete from export_person using gone
    where export_person.org_id = %(org_id)s and export_person.export_id = gone.export_id
), pieces as (
    delete from export_piece using gone
    where export_piece.org_id = %(org_id)s and export_piece.export_id = gone.export_id
)
select export_id from gone;

-- name: insert_piece
insert into export_piece (org_id, export_id, number, content) values (%(org_id)s, %(export_id)s, %(number)s, %(content)s);

-- name: get_piece
select content from export_piece where org_id = %(org_id)s and export_id = %(export_id)s and number = %(number)s;

-- name: expired
-- across organisations: housekeeping. Files that nobody may fetch any more, and work that began so long ago.
select org_id, export_id from export
where coalesce(finished_at, created_at) < now() - make_interval(days => %(days)s)
limit 100;

-- name: erase_exports
-- Of erased people nothing may stay in a file: what has one of them among its people goes, and every file of which that
-- is not known. What was asked goes too, where it names them.
with hit as (
    update export
    set state = 'erased', request = '{}', place = null, bytes = 0, pieces = 0, finished_at = coalesce(finished_at, now()),
        error = 'Somebody was erased who may be in it: export again'
    where org_id = %(org_id)s and (
        state in ('waiting', 'running', 'done') and created_at <= now() - make_interval(secs => %(seconds)s) and (
            kind <> 'contacts' or exists (
                select from export_person p
                where p.org_id = %(org_id)s and p.export_id = export.export_id
                  and p.contact_id = any(%(contact_ids)s::bigint[])
            )
        )
        or exists (
            select from unnest(%(texts)s::text[]) as named (text) where position(named.text in lower(request::text)) > 0
        )
    )
    returning export_id
), people as (
    delete from export_person using hit
    where export_person.org_id = %(org_id)s and export_person.export_id = hit.export_id
)
delete from export_piece using hit
where export_piece.org_id = %(org_id)s and export_piece.export_id = hit.export_id;

-- name: erase_people
-- Of exports that had gone before, whoever is left.
delete from export_person where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: everybody
select contact_id from contact where org_id = %(org_id)s and deleted_at is null;

-- name: page_of_people
select contact_id from export_person
where org_id = %(org_id)s and export_id = %(export_id)s and contact_id > %(after)s
order by contact_id
limit %(limit)s;

-- name: people
-- The people of a page by key, in the order of ids. States: what keeps an address from being written to comes first.
select c.contact_id, c.external_id, coalesce(email.spelling, c.email), email.state, coalesce(phone.spelling, c.phone),
       phone.state, c.first_name, c.last_name, c.contact_key, c.language, c.time_zone, c.region, c.town, c.street,
       c.postcode, c.source, c.created_at, c.updated_at,
       case when %(with_lists)s then (
           select string_agg(s.name, '; ' order by s.name)
           from segment_member m
           join segment s on s.org_id = m.org_id and s.segment_id = m.segment_id
           where m.org_id = %(org_id)s and m.contact_id = c.contact_id
       ) end,
       o.delivered, trim_scale(o.delivered_total),
       trim_scale(round(o.delivered_total / nullif(o.delivered, 0), 4)), o.delivered_first,
       o.delivered_last, c.fields
from unnest(%(contact_ids)s::bigint[]) as given (contact_id)
cross join lateral (
    select * from contact c
    where c.org_id = %(org_id)s and c.contact_id = given.contact_id and c.deleted_at is null offset 0
) as c
left join lateral (
    select a.spelling, case
        when a.blacklisted_at is not null then 'blacklisted'
        when a.complained_at is not null then 'complained'
        when a.unsubscribed_at is not null then 'unsubscribed'
        when a.blocked_until > now() then 'blocked'
        when not a.confirmed then 'unconfirmed'
        else 'active' end as state
    from address a where a.org_id = %(org_id)s and a.kind = 'email' and a.value = c.email offset 0
) as email on true
left join lateral (
    select a.spelling, case
        when a.blacklisted_at is not null then 'blacklisted'
        when a.complained_at is not null then 'complained'
        when a.unsubscribed_at is not null then 'unsubscribed'
        when a.blocked_until > now() then 'blocked'
        else 'active' end as state
    from address a where a.org_id = %(org_id)s and a.kind = 'phone' and a.value = c.phone offset 0
) as phone on true
left join lateral (
    select * from contact_orders o where o.org_id = %(org_id)s and o.contact_id = c.contact_id offset 0
) as o on true
order by c.contact_id;

-- name: field_headings
-- As merge tags name them: GROUP.FIELD.
select field.field_id, upper(field_group.key || '.' || field.key)
from field join field_group using (org_id, group_id)
where field.org_id = %(org_id)s
order by field_group.group_id, field."position", field.field_id;

-- name: orders
select o.order_id, o.external_order_id, o.contact_id, c.external_id, c.email, c.phone, o.status, trim_scale(o.total), o.currency,
       o.ordered_at, o.source,
       (select count(*) from order_item i where i.org_id = o.org_id and i.order_id = o.order_id), o.created_at, o.updated_at
from (
    select * from orders
    where org_id = %(org_id)s and order_id > %(after)s
      and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
      and (%(status)s::text is null or status = %(status)s)
      and (%(first)s::timestamptz is null or ordered_at >= %(first)s)
      and (%(until)s::timestamptz is null or ordered_at < %(until)s)
    order by order_id limit %(limit)s
) as o
left join lateral (
    select c.external_id, c.email, c.phone from contact c
    where c.org_id = o.org_id and c.contact_id = o.contact_id offset 0
) as c on true
order by o.order_id;

-- name: count_orders
select count(*) from orders
where org_id = %(org_id)s
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
  and (%(status)s::text is null or status = %(status)s)
  and (%(first)s::timestamptz is null or ordered_at >= %(first)s)
  and (%(until)s::timestamptz is null or ordered_at < %(until)s);

-- name: items_of_orders
select i.order_id, i.external_item_id, i.name, i.category, trim_scale(i.quantity), trim_scale(i.cost)
from order_item i
where i.org_id = %(org_id)s and i.order_id = any(%(order_ids)s::bigint[])
order by i.order_id, i."position";

-- name: events
select e.event_id, e.occurred_at, t.key, t.name, e.event_key, e.contact_id, c.external_id, c.email, c.phone, e.source,
       e.params
from (
    select * from event
    where org_id = %(org_id)s
      and occurred_at >= greatest(%(after)s::timestamptz, %(first)s::timestamptz, '-infinity')
      and (occurred_at, event_id) > (coalesce(%(after)s::timestamptz, '-infinity'), %(after_id)s)
      and occurred_at < coalesce(%(until)s::timestamptz, 'infinity')
      and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
      and (%(event_type)s::text is null or event_type_id
           = (select event_type_id from event_type where org_id = %(org_id)s and key = %(event_type)s))
    order by occurred_at, event_id limit %(limit)s
) as e
join event_type t on t.org_id = e.org_id and t.event_type_id = e.event_type_id
left join lateral (
    select c.external_id, c.email, c.phone from contact c
    where c.org_id = e.org_id and c.contact_id = e.contact_id offset 0
) as c on true
order by e.occurred_at, e.event_id;

-- name: unsubscribed
select kind, value,
       case when blacklisted_at is not null then 'blacklisted'
            when complained_at is not null then 'complained'
            else 'unsubscribed' end,
       coalesce(blacklisted_at, complained_at, unsubscribed_at), unsubscribed_at, unsubscribe_source, unsubscribe_reason,
       complained_at, blacklisted_at, blacklist_reason
from address
where org_id = %(org_id)s and (kind, value) > (%(kind)s, %(value)s)
  and (unsubscribed_at is not null or complained_at is not null or blacklisted_at is not null)
order by kind, value
limit %(limit)s;

-- name: count_unsubscribed
select count(*) from address
where org_id = %(org_id)s and (unsubscribed_at is not null or complained_at is not null or blacklisted_at is not null);
