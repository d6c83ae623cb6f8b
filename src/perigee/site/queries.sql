-- name: get_domain
select domain, site_id from site_domain where org_id = %(org_id)s;

-- name: put_domain
-- One domain per organisation; the site id stays when the domain changes. `created`: there was none before.
insert into site_domain (org_id, domain, site_id) values (%(org_id)s, %(domain)s, %(site_id)s)
on conflict (org_id) do update set domain = excluded.domain
returning domain, site_id, site_id = %(site_id)s as created;


-- name: find_site
-- across organisations: the site id is all that a page knows of us.
select org_id, site_id, domain from site_domain where site_id = %(site_id)s;

-- name: find_site_of_organisation
select org_id, site_id, domain from site_domain where org_id = %(org_id)s;

-- name: get_visitors
select v.visitor_id, v.contact_id, v.bound_by
from unnest(string_to_array(%(visitors)s, E'\x1f', E'\x1e')) as given (visitor_id)
cross join lateral (
    select * from visitor v where v.org_id = %(org_id)s and v.visitor_id = given.visitor_id offset 0
) as v;

-- name: bind_visitors
-- Sorted against deadlocks. Of two that bind one visitor at the same moment the weaker one loses.
insert into visitor as known (org_id, visitor_id, contact_id, bound_by)
select %(org_id)s, visitor_id, contact_id, bound_by
from unnest(
    string_to_array(%(visitors)s, E'\x1f', E'\x1e'),
    string_to_array(%(contacts)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(strengths)s, E'\x1f', E'\x1e')::smallint[]
) as given (visitor_id, contact_id, bound_by)
order by visitor_id
on conflict (org_id, visitor_id) do update
set contact_id = excluded.contact_id, bound_by = excluded.bound_by, bound_at = now()
where excluded.bound_by >= known.bound_by;

-- name: adopt_events
-- What visitors did before anybody knew them becomes their contacts'. The key of `event` holds the moment, so only the
-- partitions of these moments are read.
with given as (
    select visitor_id, contact_id
    from unnest(
        string_to_array(%(visitors)s, E'\x1f', E'\x1e'), string_to_array(%(contacts)s, E'\x1f', E'\x1e')::bigint[]
    ) as given (visitor_id, contact_id)
), waiting as (
    delete from visitor_event v using given
    where v.org_id = %(org_id)s and v.visitor_id = given.visitor_id
    returning v.occurred_at, v.event_id, given.contact_id
)
update event e set contact_id = waiting.contact_id
from waiting
where e.org_id = %(org_id)s and e.occurred_at = waiting.occurred_at and e.event_id = waiting.event_id
  and e.contact_id is null;

-- name: insert_visitor_events
insert into visitor_event (org_id, visitor_id, occurred_at, event_id)
select %(org_id)s, visitor_id, occurred_at, event_id
from unnest(
    string_to_array(%(visitors)s, E'\x1f', E'\x1e'),
    string_to_array(%(occurred)s, E'\x1f', E'\x1e')::timestamptz[],
    string_to_array(%(event_ids)s, E'\x1f', E'\x1e')::bigint[]
) as given (visitor_id, occurred_at, event_id);

-- name: admit_once
-- The keys that nobody has brought before. Sorted against deadlocks; who comes second waits for the first.
insert into tracked_once (org_id, key)
select %(org_id)s, key
from unnest(string_to_array(%(keys)s, E'\x1f', E'\x1e')) as given (key)
order by key
on conflict (org_id, key) do nothing
returning key;

-- name: prune_visitor_events
-- across organisations: housekeeping. The events themselves stay, as nobody's.
delete from visitor_event where occurred_at < now() - make_interval(days => %(days)s);

-- name: prune_tracked_once
-- across organisations: housekeeping.
delete from tracked_once where seen_at < now() - make_interval(days => %(days)s);

-- name: erase_visitors
delete from visitor where org_id = %(org_id)s and contact_id > 0 and contact_id = any(%(contact_ids)s::bigint[]);

-- name: site_counts
-- What the site reported today and yesterday, by the organisation's days. The key holds the moment, so only these two
-- days are read.
select day.name, event_type.key, count(*), max(event.occurred_at)
from organisation
cross join lateral (
    values ('today', date_trunc('day', %(now)s::timestamptz, time_zone), %(now)s + interval '1 day'),
           ('yesterday', date_trunc('day', date_trunc('day', %(now)s::timestamptz, time_zone) - interval '1 hour', time_zone),
            date_trunc('day', %(now)s::timestamptz, time_zone))
) as day (name, first, until)
join event on event.org_id = organisation.org_id and event.occurred_at >= day.first and event.occurred_at < day.until
join event_type on event_type.org_id = event.org_id and event_type.event_type_id = event.event_type_id
where organisation.org_id = %(org_id)s and event.source = 'tracker'
group by 1, 2
order by 1, 2;

-- name: last_cart
-- The cart as it was reported last, by whatever way, and what ended it: a purchase that names its state or came
-- afterwards, or an order, as the conditions on carts have it (segments/leaves/cart.py). Orders know whole seconds, and a
-- browser's clock may be before the shop's.
with cart as (
    select event.occurred_at, event.params, event.params ->> 'recycleStateId' as state_id
    from event
    where event.org_id = %(org_id)s and event.contact_id = %(contact_id)s
      and event.event_type_id
          = (select event_type_id from event_type where org_id = %(org_id)s and key = 'cartUpdated')
    order by event.occurred_at desc, event.event_id desc
    limit 1
)
select cart.occurred_at, cart.params, cart.state_id, coalesce(purchase.order_id, ordered.external_order_id),
       purchase.found or ordered.external_order_id is not null
from cart
left join lateral (
    select event.params ->> 'externalOrderId' as order_id, true as found
    from event
    where event.org_id = %(org_id)s and event.contact_id = %(contact_id)s
      and event.event_type_id
          = (select event_type_id from event_type where org_id = %(org_id)s and key = 'purchase')
      and event.occurred_at >= cart.occurred_at - interval '1 hour'
      and (event.occurred_at >= cart.occurred_at or event.params ->> 'recycleStateId' = cart.state_id)
    order by event.occurred_at
    limit 1
) as purchase on true
left join lateral (
    select orders.external_order_id
    from orders
    where orders.org_id = %(org_id)s and orders.contact_id = %(contact_id)s
      and orders.ordered_at >= date_trunc('second', cart.occurred_at)
      and orders.status <> 'ABANDONED_SHOPPING_CART'
    order by orders.ordered_at
    limit 1
) as ordered on true;
