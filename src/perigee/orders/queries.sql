-- name: insert_orders
-- New orders only. Sorted, so that two calls with the same new orders wait for each other in one order.
insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at, source, details)
select %(org_id)s, external_order_id, contact_id, status, total,
       coalesce(currency, (select currency from organisation where org_id = %(org_id)s)),
       ordered_at, coalesce(source, 'online'), details
from unnest(
    string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(statuses)s, E'\x1f', E'\x1e'),
    string_to_array(%(totals)s, E'\x1f', E'\x1e')::numeric[],
    string_to_array(%(currencies)s, E'\x1f', E'\x1e'),
    string_to_array(%(ordered)s, E'\x1f', E'\x1e')::timestamptz[],
    string_to_array(%(sources)s, E'\x1f', E'\x1e'),
    string_to_array(%(details)s, E'\x1f', E'\x1e')::jsonb[]
) as given (external_order_id, contact_id, status, total, currency, ordered_at, source, details)
on conflict (org_id, external_order_id) do nothing
returning order_id, external_order_id;

-- name: known_orders
select external_order_id, order_id
from orders
where org_id = %(org_id)s and external_order_id = any(string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'));

-- name: lock_orders
-- Held until the transaction ends, always taken in the same order.
select order_id, external_order_id, contact_id, status
from orders
where org_id = %(org_id)s and external_order_id = any(string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'))
order by external_order_id
for update;

-- name: update_orders
-- Known and locked orders. Written as an insert so that the unique index finds each row, whatever the statistics
-- say (db/plans.py). Details that the new version does not name stay, and the contact where nobody is found.
insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at, source, details)
select %(org_id)s, external_order_id, contact_id, status, total, coalesce(currency, ''), ordered_at,
       coalesce(source, ''), details
from unnest(
    string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(statuses)s, E'\x1f', E'\x1e'),
    string_to_array(%(totals)s, E'\x1f', E'\x1e')::numeric[],
    string_to_array(%(currencies)s, E'\x1f', E'\x1e'),
    string_to_array(%(ordered)s, E'\x1f', E'\x1e')::timestamptz[],
    string_to_array(%(sources)s, E'\x1f', E'\x1e'),
    string_to_array(%(details)s, E'\x1f', E'\x1e')::jsonb[]
) as given (external_order_id, contact_id, status, total, currency, ordered_at, source, details)
on conflict (org_id, external_order_id) do update
set contact_id = coalesce(excluded.contact_id, orders.contact_id), status = excluded.status, total = excluded.total,
    currency = coalesce(nullif(excluded.currency, ''), orders.currency), ordered_at = excluded.ordered_at,
    source = coalesce(nullif(excluded.source, ''), orders.source), details = orders.details || excluded.details,
    updated_at = now();

-- name: update_statuses
-- Locked orders, few at a time.
update orders set status = given.status, updated_at = now()
from unnest(
    string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(statuses)s, E'\x1f', E'\x1e')
) as given (external_order_id, status)
where orders.org_id = %(org_id)s and orders.external_order_id = given.external_order_id;

-- name: delete_items
delete from order_item
where org_id = %(org_id)s and order_id = any(string_to_array(%(order_ids)s, E'\x1f', E'\x1e')::bigint[]);

-- name: insert_items
insert into order_item (org_id, order_id, position, external_item_id, name, category, quantity, cost, details)
select %(org_id)s, order_id, position, external_item_id, name, category, quantity, cost, details
from unnest(
    string_to_array(%(order_ids)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(positions)s, E'\x1f', E'\x1e')::smallint[],
    string_to_array(%(external_item_ids)s, E'\x1f', E'\x1e'),
    string_to_array(%(names)s, E'\x1f', E'\x1e'),
    string_to_array(%(categories)s, E'\x1f', E'\x1e'),
    string_to_array(%(quantities)s, E'\x1f', E'\x1e')::numeric[],
    string_to_array(%(costs)s, E'\x1f', E'\x1e')::numeric[],
    string_to_array(%(details)s, E'\x1f', E'\x1e')::jsonb[]
) as given (order_id, position, external_item_id, name, category, quantity, cost, details);

-- name: open_facts
-- Rows to lock; contact ids come sorted.
insert into contact_orders (org_id, contact_id, orders, total, delivered, delivered_total)
select %(org_id)s, contact_id, 0, 0, 0, 0
from unnest(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]) as given (contact_id)
on conflict (org_id, contact_id) do nothing;

-- name: lock_facts
-- A statement of its own: the count that follows must see what the holders before us committed.
select 1 from contact_orders
where org_id = %(org_id)s
  and contact_id = any(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[])
order by contact_id
for update;

-- name: count_facts
-- Cancelled orders and abandoned carts are no orders. Only delivered ones are revenue (contract 17.1). Money of
-- another currency than the organisation's is not added.
insert into contact_orders (
    org_id, contact_id, orders, total, first_at, last_at, delivered, delivered_total, delivered_first, delivered_last
)
select %(org_id)s, given.contact_id,
       count(*) filter (where bought),
       coalesce(sum(o.total) filter (where bought and own_currency), 0),
       min(o.ordered_at) filter (where bought),
       max(o.ordered_at) filter (where bought),
       count(*) filter (where delivered),
       coalesce(sum(o.total) filter (where delivered and own_currency), 0),
       min(o.ordered_at) filter (where delivered),
       max(o.ordered_at) filter (where delivered)
from unnest(string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[]) as given (contact_id)
left join lateral (
    select total, ordered_at, status = 'DELIVERED' as delivered,
           status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART') as bought,
           currency = (select currency from organisation where org_id = %(org_id)s) as own_currency
    from orders
    where org_id = %(org_id)s and contact_id = given.contact_id
    offset 0
) as o on true
group by given.contact_id
on conflict (org_id, contact_id) do update
set orders = excluded.orders, total = excluded.total, first_at = excluded.first_at, last_at = excluded.last_at,
    delivered = excluded.delivered, delivered_total = excluded.delivered_total,
    delivered_first = excluded.delivered_first, delivered_last = excluded.delivered_last;

-- name: lock_orders_of_period
-- A bounded number at a time, by date of the order, both ends included.
select order_id, external_order_id, contact_id, status
from orders
where org_id = %(org_id)s and ordered_at between %(first)s and %(last)s
order by external_order_id
limit %(limit)s
for update;

-- name: organisations_with_orders_before
-- across organisations: a look for due work of retention.
select distinct org_id from orders where ordered_at < %(moment)s order by org_id;

-- name: delete_orders
delete from orders
where org_id = %(org_id)s
  and external_order_id = any(string_to_array(%(external_order_ids)s, E'\x1f', E'\x1e'));

-- name: time_zone
select time_zone from organisation where org_id = %(org_id)s;

-- name: summary
-- By status and currency: money of two currencies is never added up. Planned for its values (orders/filters.py).
select status, currency, count(*), count(distinct contact_id), sum(total), min(ordered_at), max(ordered_at)
from orders
where org_id = %(org_id)s
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
  and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and (%(start)s::timestamptz is null or ordered_at >= %(start)s)
  and (%(end)s::timestamptz is null or ordered_at < %(end)s)
  and (%(part)s::text is null or external_order_id ilike %(part)s or contact_id in (
      select contact_id from contact
      where org_id = %(org_id)s and external_id = %(text)s
      union all
      select contact_id from contact where org_id = %(org_id)s and email = %(email)s
      union all
      select contact_id from contact where org_id = %(org_id)s and phone = %(phone)s
  ))
group by status, currency order by status, currency;

-- name: list_orders
-- Newest first; `before` 0 is the first page. Planned for its values (orders/filters.py).
select order_id, external_order_id, contact_id, status, total, currency, ordered_at, source, updated_at
from orders
where org_id = %(org_id)s and (%(before)s = 0 or order_id < %(before)s)
  and (%(contact_id)s::bigint is null or contact_id = %(contact_id)s)
  and (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and (%(start)s::timestamptz is null or ordered_at >= %(start)s)
  and (%(end)s::timestamptz is null or ordered_at < %(end)s)
  and (%(part)s::text is null or external_order_id ilike %(part)s or contact_id in (
      select contact_id from contact
      where org_id = %(org_id)s and external_id = %(text)s
      union all
      select contact_id from contact where org_id = %(org_id)s and email = %(email)s
      union all
      select contact_id from contact where org_id = %(org_id)s and phone = %(phone)s
  ))
order by order_id desc
limit %(limit)s;

-- name: buyer
select contact_id, external_id, email, phone, first_name, last_name
from contact
where org_id = %(org_id)s and contact_id = %(contact_id)s and deleted_at is null;

-- name: get_order
select order_id, external_order_id, contact_id, status, total, currency, ordered_at, source, updated_at, details
from orders
where org_id = %(org_id)s and order_id = %(order_id)s;

-- name: get_items
select external_item_id, name, category, quantity, cost, details
from order_item
where org_id = %(org_id)s and order_id = %(order_id)s
order by position;
