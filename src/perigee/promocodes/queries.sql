-- name: free_codes
-- Codes that the caller says are not used after all.
update promo_code set in_use = false, contact_id = null, taken_at = null, updated_at = now()
where org_id = %(org_id)s and in_use and code = any(string_to_array(%(codes)s, E'\x1f', E'\x1e'));

-- name: upsert_codes
-- One row per code, sorted, so that two callers wait for each other in one order. A code in use stays so: the same
-- file uploaded twice must not hand it out twice.
insert into promo_code as stored (org_id, code, discount, expires_at, type, in_use)
select %(org_id)s, code, discount, expires_at, type, coalesce(in_use, false)
from unnest(
    string_to_array(%(codes)s, E'\x1f', E'\x1e'),
    string_to_array(%(discounts)s, E'\x1f', E'\x1e')::integer[],
    string_to_array(%(expirations)s, E'\x1f', E'\x1e')::timestamptz[],
    string_to_array(%(types)s, E'\x1f', E'\x1e'),
    string_to_array(%(in_use)s, E'\x1f', E'\x1e')::boolean[]
) as given (code, discount, expires_at, type, in_use)
order by code
on conflict (org_id, code) do update
set discount = excluded.discount, expires_at = excluded.expires_at, type = coalesce(excluded.type, stored.type),
    in_use = stored.in_use or excluded.in_use, updated_at = now();

-- name: list_codes
-- By code; `after` is the last code of the page before.
select code, discount, type, expires_at, in_use, contact_id, taken_at
from promo_code
where org_id = %(org_id)s and (%(after)s::text is null or code > %(after)s)
  and (%(type)s::text is null or type = %(type)s)
  and (%(in_use)s::boolean is null or in_use = %(in_use)s)
  and (%(discount)s::integer is null or discount = %(discount)s)
  and (%(valid_at)s::timestamptz is null or expires_at >= %(valid_at)s)
order by code offset %(skip)s limit %(rows)s;

-- name: count_codes
select count(*)
from promo_code
where org_id = %(org_id)s
  and (%(type)s::text is null or type = %(type)s)
  and (%(in_use)s::boolean is null or in_use = %(in_use)s)
  and (%(discount)s::integer is null or discount = %(discount)s)
  and (%(valid_at)s::timestamptz is null or expires_at >= %(valid_at)s);

-- name: take_codes
-- Those that run out first go first. A code that another transaction is handing out at this moment is passed over, so
-- nobody waits and nobody gets the same one.
with free as materialized (
    select code from promo_code
    where org_id = %(org_id)s and not in_use and expires_at >= %(valid_at)s
      and (%(type)s::text is null or type = %(type)s)
      and (%(discount)s::integer is null or discount = %(discount)s)
    order by expires_at, code
    limit %(wanted)s
    for update skip locked
), pairs as (
    select free.code, given.contact_id
    from (select code, row_number() over (order by code) as n from free) as free
    join unnest(%(contact_ids)s::bigint[]) with ordinality as given (contact_id, n) using (n)
)
update promo_code p
set in_use = true, contact_id = pairs.contact_id, taken_at = now(), updated_at = now()
from pairs
where p.org_id = %(org_id)s and p.code = pairs.code
returning p.contact_id, p.code;
