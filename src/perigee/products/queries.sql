-- name: upsert_products
-- One row per product, sorted by id, so that two callers wait for each other in one order. Later data replace earlier
-- ones, what nobody says stays; an order fills gaps only where a better source has spoken. Rows that would stay as
-- they are are not touched: best sellers are in every second order, and nobody should queue for them.
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
)
insert into product as kept (
    org_id, product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags, source,
    as_of
)
select %(org_id)s, product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags,
       source, as_of
from merged m
where not is_known or as_of > known_as_of + interval '1 day'
   or (name, url, image_url, description, brand, price, currency, in_stock, categories, tags, source)
      is distinct from ((stored).name, (stored).url, (stored).image_url, (stored).description, (stored).brand,
                        (stored).price, (stored).currency, (stored).in_stock, (stored).categories, (stored).tags,
                        (stored).source)
order by product_id
on conflict (org_id, product_id) do update
set name = excluded.name, url = excluded.url, image_url = excluded.image_url, description = excluded.description,
    brand = excluded.brand, price = excluded.price, currency = excluded.currency, in_stock = excluded.in_stock,
    categories = excluded.categories, tags = excluded.tags, source = excluded.source, as_of = excluded.as_of
where excluded.as_of >= kept.as_of;

-- name: read_products
-- Products by id.
select product_id, name, url, image_url, description, brand, price, currency, in_stock, categories, tags
from product
where org_id = %(org_id)s and product_id = any(string_to_array(%(product_ids)s, E'\x1f', E'\x1e'));
