-- name: admit_requests
-- A row comes back for each request that is new or old enough; a twin still running in another transaction makes
-- this statement wait for its outcome.
insert into recent_request as r (org_id, fingerprint, at)
select %(org_id)s, mark, now() from unnest(%(fingerprints)s::bytea[]) as mark order by mark
on conflict (org_id, fingerprint) do update set at = excluded.at
    where r.at < now() - make_interval(secs => %(seconds)s)
returning fingerprint

-- name: forget_requests
delete from recent_request where org_id = %(org_id)s and fingerprint = any(%(fingerprints)s::bytea[])

-- name: prune_requests
-- across organisations: old marks of all organisations are of no use.
delete from recent_request where at < now() - make_interval(secs => %(seconds)s)
