-- name: upsert_products
-- One row per product, sorted by id, so that two callers wait for each other in one order. Later data replace earlier
-- ones, what nobody says stays; an order fills gaps only where a better source has spoken. Rows that would stay as
-- they are are not touched: best sellers are in every second order, and nobody should queue for them. A feed touches
-- all of its rows, so that those it does not name any more can be told by their `as_of`.
with given as (
    select *
    from unnest(
        string_to_array(%(product_ids)s, E'\x1f', E'\x1e'),
        string_to_array(%(names)s, E'\x1f', E'\x1e'),
        string_to_array(%(urls)s, E'\x1f', E'\x1e'),
        string_to_array(%(image_urls)s, E'\x1f', E'\x1e'),
        string_to_array(%(descriptions)s, E'\x1f', E'\x1e'),
        string_to_array(%(brands)s, E'\x1f', E'\x1e'),
        string_to_array(%(prices)s, E'\x1f', E'\x1e')::numeric[],
        string_to_array(%(currencies)s, E'\x1f', E'\x1e'),
        string_to_array(%(in_stock)s, E'\x1f', E'\x1e')::boolean[],
        string_to_array(%(categories)s, E'\x1f', E'\x1e')::jsonb[],
        string_to_array(%(tags)s, E'\x1f', E'\x1e')::jsonb[],
        string_to_array(%(as_of)s, E'\x1f', E'\x1e')::timestamptz[]
    ) as given (product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags, as_of)
), known as (
    select g.product_id, p.product_id is not null as is_known, p.as_of as known_as_of,
           coalesce(g.as_of, now()) as as_of,
           p.product_id is null
           or (coalesce(g.as_of, now()) >= p.as_of and (%(source)s <> 'order' or p.source = 'order')) as wins,
           p as stored, g as given
    from given g
    left join lateral (
        select * from product p where p.org_id = %(org_id)s and p.product_id = g.product_id offset 0
    ) as p on true
), merged as (
    select product_id, is_known, known_as_of, greatest(as_of, known_as_of) as as_of, stored,
           case when wins then %(source)s else (stored).source end as source,
           case when wins then coalesce((given).name, (stored).name)
                else coalesce((stored).name, (given).name) end as name,
           case when wins then coalesce((given).url, (stored).url)
                else coalesce((stored).url, (given).url) end as url,
           case when wins then coalesce((given).image_url, (stored).image_url)
                else coalesce((stored).image_url, (given).image_url) end as image_url,
           case when wins then coalesce((given).description, (stored).description)
                else coalesce((stored).description, (given).description) end as description,
           case when wins then coalesce((given).brand, (stored).brand)
                else coalesce((stored).brand, (given).brand) end as brand,
           -- A price and its currency go together.
           case when (wins and (given).price is not null) or (stored).price is null then (given).price
                else (stored).price end as price,
           case when (wins and (given).price is not null) or (stored).price is null
                then coalesce((given).currency, (stored).currency) else (stored).currency end as currency,
           case when wins then coalesce((given).in_stock, (stored).in_stock)
                else coalesce((stored).in_stock, (given).in_stock) end as in_stock,
           case when (wins and (given).categories is not null) or coalesce((stored).categories, '[]') = '[]'
                then coalesce((given).categories, '[]') else (stored).categories end as categories,
           case when wins then coalesce((stored).tags, '{}') || (given).tags
                else (given).tags || (stored).tags end as tags
    from known
), written as (
    insert into product as kept (
        org_id, product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags, source,
        as_of
    )
    select %(org_id)s, product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags,
           source, as_of
    from merged m
    where not is_known or %(source)s = 'feed' or as_of > known_as_of + interval '1 day'
       or (name, url, image_url, description, brand, price, currency, in_stock, categories, tags, source)
          is distinct from ((stored).name, (stored).url, (stored).image_url, (stored).description, (stored).brand,
                            (stored).price, (stored).currency, (stored).in_stock, (stored).categories, (stored).tags,
                            (stored).source)
    order by product_id
    on conflict (org_id, product_id) do update
    set name = excluded.name, url = excluded.url, image_url = excluded.image_url, description = excluded.description,
        brand = excluded.brand, price = excluded.price, currency = excluded.currency, in_stock = excluded.in_stock,
        categories = excluded.categories, tags = excluded.tags, source = excluded.source, as_of = excluded.as_of
    where excluded.as_of >= kept.as_of
    returning new.product_id, new.as_of, new.source, new.price, new.currency, new.in_stock,
              old.source as old_source, old.price as old_price, old.currency as old_currency, old.in_stock as old_in_stock
)
insert into product_change (org_id, changed_at, product_id, old_price, price, currency, old_in_stock, in_stock)
select %(org_id)s, as_of, product_id, old_price, price, currency, old_in_stock, in_stock
from written
where 'order' not in (source, old_source)
  and (old_in_stock <> in_stock or (old_price <> price and old_currency is not distinct from currency))
on conflict (org_id, changed_at, product_id) do update set price = excluded.price, in_stock = excluded.in_stock;

-- name: read_products
-- Products by id.
select product_id, name, url, image_url, description, brand, trim_scale(price), currency, in_stock, categories, tags
from product
where org_id = %(org_id)s and product_id = any(string_to_array(%(product_ids)s, E'\x1f', E'\x1e'));

-- name: list_feeds
select url, language, is_default from product_feed where org_id = %(org_id)s order by position;

-- name: lock_feeds
-- Two callers who replace the list wait for each other; the organisation's row stands for a list that may be empty.
select 1 from organisation where org_id = %(org_id)s for no key update;

-- name: delete_feeds
delete from product_feed where org_id = %(org_id)s;

-- name: insert_feeds
insert into product_feed (org_id, position, url, language, is_default)
select %(org_id)s, n, url, language, is_default
from unnest(
    string_to_array(%(urls)s, E'\x1f', E'\x1e'),
    string_to_array(%(languages)s, E'\x1f', E'\x1e'),
    string_to_array(%(defaults)s, E'\x1f', E'\x1e')::boolean[]
) with ordinality as given (url, language, is_default, n);

-- name: insert_source
insert into recommendation_source (org_id, name, kind, settings)
values (%(org_id)s, %(name)s, %(kind)s, %(settings)s)
returning source_id, name, kind, settings, created_at;

-- name: list_sources
select source_id, name, kind, settings, created_at
from recommendation_source
where org_id = %(org_id)s and source_id > %(after)s
order by source_id limit %(limit)s;

-- name: get_source
select source_id, name, kind, settings, created_at
from recommendation_source
where org_id = %(org_id)s and source_id = %(source_id)s;

-- name: delete_source
delete from recommendation_source where org_id = %(org_id)s and source_id = %(source_id)s returning source_id;

-- name: best_sellers_age
select extract(epoch from now() - ranked_at)::float8 from recommendation_source
where org_id = %(org_id)s and source_id = %(source_id)s;

-- name: take_ranking
-- No row: somebody else is counting at this moment.
select 1 from recommendation_source
where org_id = %(org_id)s and source_id = %(source_id)s
for no key update skip locked;

-- name: wait_for_ranking
select ranked_at is not null from recommendation_source
where org_id = %(org_id)s and source_id = %(source_id)s
for no key update;

-- name: clear_best_sellers
delete from best_seller where org_id = %(org_id)s and source_id = %(source_id)s;

-- name: count_best_sellers
-- By how many were sold since then; what was cancelled or left in the cart was not sold.
insert into best_seller (org_id, source_id, score, product_id)
select %(org_id)s, %(source_id)s, sum(i.quantity), i.external_item_id
from orders o join order_item i on i.org_id = o.org_id and i.order_id = o.order_id
where o.org_id = %(org_id)s and o.ordered_at >= %(since)s
  and o.status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')
group by i.external_item_id;

-- name: best_sellers_counted
update recommendation_source set ranked_at = now() where org_id = %(org_id)s and source_id = %(source_id)s;

-- name: ranked_best_sellers
select product_id, score from best_seller where org_id = %(org_id)s and source_id = %(source_id)s;

-- name: ranked_bought_together
-- By the number of orders that hold one of the given products and this one.
select other.external_item_id as product_id, count(distinct other.order_id) as score
from order_item mine
join orders o on o.org_id = mine.org_id and o.order_id = mine.order_id
join order_item other on other.org_id = mine.org_id and other.order_id = mine.order_id
where mine.org_id = %(org_id)s and mine.external_item_id <> ''
  and mine.external_item_id = any(string_to_array(%(product_ids)s, E'\x1f', E'\x1e'))
  and o.ordered_at >= %(since)s and o.status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')
  and other.external_item_id <> all(string_to_array(%(product_ids)s, E'\x1f', E'\x1e'))
group by other.external_item_id;

-- name: ranked_as_given
select product_id, -n as score
from unnest(string_to_array(%(product_ids)s, E'\x1f', E'\x1e')) with ordinality as given (product_id, n)
where %(org_id)s::bigint is not null;

-- name: products_bought_by
-- What somebody bought last, newest first.
select product_id
from (
    select i.external_item_id as product_id, max(o.ordered_at) as bought_at
    from orders o join order_item i on i.org_id = o.org_id and i.order_id = o.order_id
    where o.org_id = %(org_id)s and o.contact_id = %(contact_id)s
      and o.status not in ('CANCELLED', 'ABANDONED_SHOPPING_CART')
    group by i.external_item_id
) as bought
order by bought_at desc, product_id limit %(limit)s;

-- name: views_of_contact
-- The newest events of one type, their parameters.
select params
from event
where org_id = %(org_id)s and contact_id = %(contact_id)s
  and event_type_id = (select event_type_id from event_type where org_id = %(org_id)s and key = %(key)s)
  and occurred_at >= %(since)s
order by occurred_at desc, event_id desc limit %(limit)s;

-- name: views_of_visitor
-- The same for somebody whose contact is not known yet.
select event.params
from visitor_event waiting
join event on event.org_id = waiting.org_id and event.occurred_at = waiting.occurred_at
    and event.event_id = waiting.event_id
where waiting.org_id = %(org_id)s and waiting.visitor_id = %(visitor_id)s and waiting.occurred_at >= %(since)s
  and event.event_type_id = (select event_type_id from event_type where org_id = %(org_id)s and key = %(key)s)
order by waiting.occurred_at desc, waiting.event_id desc limit %(limit)s;

-- name: contact_of_visitor
select contact_id from visitor where org_id = %(org_id)s and visitor_id = %(visitor_id)s;

-- name: feed_states
select url, language, is_default, imported_at, products, error from product_feed where org_id = %(org_id)s
order by position;

-- name: default_feed
select url from product_feed where org_id = %(org_id)s and is_default;

-- name: due_feeds
-- across organisations: the worker looks for what is due, and puts the next time off in the same statement.
update product_feed set next_at = now() + %(hours)s * interval '1 hour'
where is_default and next_at <= now()
returning org_id;

-- name: feed_imported
update product_feed set imported_at = %(at)s, products = %(products)s, error = null
where org_id = %(org_id)s and url = %(url)s;

-- name: feed_failed
update product_feed set error = %(error)s where org_id = %(org_id)s and is_default;

-- name: retire_products
-- What an earlier feed had and this one has not is not sold any more.
with retired as (
    update product set in_stock = false
    where org_id = %(org_id)s and source = 'feed' and as_of < %(before)s and in_stock is distinct from false
    returning product_id, price, currency, old.in_stock as old_in_stock, new.in_stock
)
insert into product_change (org_id, changed_at, product_id, old_price, price, currency, old_in_stock, in_stock)
select %(org_id)s, %(before)s, product_id, price, price, currency, old_in_stock, in_stock
from retired
where old_in_stock
on conflict (org_id, changed_at, product_id) do update set in_stock = excluded.in_stock;

-- name: prune_changes
-- across organisations: housekeeping.
delete from product_change where changed_at < now() - %(days)s * interval '1 day';
