-- name: begin_request
-- Ours to run when a row comes back: the key is new, or its first request died without an answer.
insert into idempotency_key as k (org_id, key, request_hash)
values (%(org_id)s, %(key)s, %(request_hash)s)
on conflict (org_id, key) do update set at = now(), request_hash = excluded.request_hash, status = null, body = null
    where k.at < now() - make_interval(hours => %(keep_hours)s)
       or (k.status is null and k.at < now() - make_interval(secs => %(lost_seconds)s)
           and k.request_hash = excluded.request_hash)
returning key

-- name: known_request
select request_hash, status, body from idempotency_key where org_id = %(org_id)s and key = %(key)s

-- name: keep_answer
update idempotency_key set status = %(status)s, body = %(body)s
where org_id = %(org_id)s and key = %(key)s

-- name: forget_request
delete from idempotency_key where org_id = %(org_id)s and key = %(key)s

-- name: prune_requests
-- across organisations: keys older than a day protect nobody.
delete from idempotency_key where at < now() - make_interval(hours => %(keep_hours)s)

-- name: draw_tokens
-- Refills the bucket for the time gone by and takes up to `want` whole tokens from it. One row: what was granted, and
-- what is left.
insert into rate_bucket as bucket (org_id, name, tokens, granted, at)
values (%(org_id)s, %(name)s, %(burst)s::float8 - least(%(want)s::float8, %(burst)s::float8), least(%(want)s::float8, %(burst)s::float8), clock_timestamp())
on conflict (org_id, name) do update set
    tokens = least(%(burst)s::float8, bucket.tokens + %(per_second)s::float8 * greatest(0, extract(epoch from clock_timestamp() - bucket.at)))
           - least(%(want)s::float8, floor(least(%(burst)s::float8, bucket.tokens + %(per_second)s::float8 * greatest(0, extract(epoch from clock_timestamp() - bucket.at))))),
    granted = least(%(want)s::float8, floor(least(%(burst)s::float8, bucket.tokens + %(per_second)s::float8 * greatest(0, extract(epoch from clock_timestamp() - bucket.at))))),
    at = clock_timestamp()
returning granted, tokens
