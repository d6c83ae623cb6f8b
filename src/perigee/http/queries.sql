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
