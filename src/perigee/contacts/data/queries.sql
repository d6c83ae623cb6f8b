-- name: card
-- Additional fields by their keys.
select to_jsonb(c) - 'org_id' - 'fields', coalesce((
    select jsonb_object_agg(coalesce(g.key || '.' || f.key, given.id), given.value)
    from jsonb_each(c.fields) as given (id, value)
    left join field f on f.org_id = %(org_id)s and f.field_id::text = given.id
    left join field_group g on g.org_id = %(org_id)s and g.group_id = f.group_id), '{}')
from contact c
where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s;

-- name: addresses
select a.kind, coalesce(a.spelling, a.value), a.confirmed, a.created_at, a.unsubscribed_at, a.unsubscribe_source,
       a.unsubscribe_reason, a.complained_at, a.blacklisted_at, a.blacklist_reason, a.blocked_until
from contact c
join address a on a.org_id = %(org_id)s
    and ((a.kind = 'email' and a.value = c.email) or (a.kind = 'phone' and a.value = c.phone))
where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s
order by a.kind;

-- name: consent
select l.at, l.kind, l.value, l.action, l.source, l.reason, l.detail
from consent_log l
where l.org_id = %(org_id)s and (l.contact_id = %(contact_id)s or (l.contact_id is null and (l.kind, l.value) in (
    select 'email', email from contact where org_id = %(org_id)s and contact_id = %(contact_id)s
    union all
    select 'phone', phone from contact where org_id = %(org_id)s and contact_id = %(contact_id)s)))
order by l.at, l.log_id;

-- name: tokens
select t.kind, t.app_id, left(t.token, 8) || case when length(t.token) > 8 then '…' else '' end, t.active, t.device,
       t.created_at, t.updated_at
from push_token t
where t.org_id = %(org_id)s and t.contact_id = %(contact_id)s
order by t.token_id;

-- name: lists
select m.segment_id, s.name, k.key, m.joined_at
from segment_member m
join segment s on s.org_id = %(org_id)s and s.segment_id = m.segment_id
left join subscription_category k on k.org_id = %(org_id)s and k.segment_id = m.segment_id
where m.org_id = %(org_id)s and m.contact_id = %(contact_id)s
order by m.segment_id;

-- name: events
select e.occurred_at, coalesce(t.key, ''), e.event_key, e.source, e.params
from event e left join event_type t on t.org_id = %(org_id)s and t.event_type_id = e.event_type_id
where e.org_id = %(org_id)s and e.contact_id = %(contact_id)s
order by e.occurred_at, e.event_id;

-- name: orders
select o.external_order_id, o.status, o.total, o.currency, o.ordered_at, o.source, o.details, o.created_at, coalesce((
    select jsonb_agg(jsonb_build_object('external_item_id', i.external_item_id, 'name', i.name, 'category', i.category,
                                        'quantity', i.quantity, 'cost', i.cost, 'details', i.details) order by i.position)
    from order_item i where i.org_id = %(org_id)s and i.order_id = o.order_id), '[]')
from orders o
where o.org_id = %(org_id)s and o.contact_id = %(contact_id)s
order by o.ordered_at, o.order_id;

-- name: messages
select d.at, s.channel, s.kind, s.message_name, d.address, d.outcome, d.reason, d.provider_text, d.language, r.data
from delivery d
left join send s on s.org_id = %(org_id)s and s.send_id = d.send_id
left join send_recipient r on r.org_id = %(org_id)s and r.send_id = d.send_id and r.ordinal = d.ordinal
where d.org_id = %(org_id)s and d.contact_id = %(contact_id)s
order by d.at, d.send_id, d.ordinal;

-- name: activity
select a.at, a.channel, a.status, s.message_name, a.link_no, a.detail, a.meta
from activity a left join send s on s.org_id = %(org_id)s and s.send_id = a.send_id
where a.org_id = %(org_id)s and a.contact_id = %(contact_id)s
order by a.at, a.activity_id;

-- name: inbox
select created_at, title, content, image, link, category, custom_data, expires_at, opened_at
from inbox_message
where org_id = %(org_id)s and contact_id = %(contact_id)s
order by created_at, send_id, ordinal;

-- name: browsers
select visitor_id, bound_at from visitor
where org_id = %(org_id)s and contact_id > 0 and contact_id = %(contact_id)s
order by bound_at, visitor_id;

-- name: promo_codes
select code, discount, type, expires_at, taken_at from promo_code
where org_id = %(org_id)s and contact_id = %(contact_id)s
order by taken_at, code;

-- name: data_files
select v.file_id, v.value::jsonb
from contact c
join data_value v on v.org_id = %(org_id)s and v.key = c.email
join data_file f on f.org_id = %(org_id)s and f.file_id = v.file_id and f.kind = 'Key'
where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s
order by v.file_id;

-- name: cells
select grid, recency, frequency, times, total, last_at from contact_rfm
where org_id = %(org_id)s and contact_id = %(contact_id)s
order by grid;

-- name: merges
select at, survivor_id, merged_id, merged_card, undone_at from contact_merge
where org_id = %(org_id)s and (survivor_id = %(contact_id)s or merged_id = %(contact_id)s)
order by merge_id;
