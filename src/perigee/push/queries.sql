-- name: list_domains
select domain, service_worker_name, service_worker_path, service_worker_scope
from webpush_domain
where org_id = %(org_id)s
order by domain;

-- name: insert_domains
-- Those that are new; of the others the stored data come back with the next query. Sorted against deadlocks.
insert into webpush_domain (org_id, domain, service_worker_name, service_worker_path, service_worker_scope)
select %(org_id)s, domain, name, path, scope
from unnest(%(domains)s::text[], %(names)s::text[], %(paths)s::text[], %(scopes)s::text[])
    as given (domain, name, path, scope)
order by domain
on conflict (org_id, domain) do nothing;

-- name: get_domains
select domain, service_worker_name, service_worker_path, service_worker_scope
from webpush_domain
where org_id = %(org_id)s and domain = any(%(domains)s);

-- name: delete_domain
delete from webpush_domain where org_id = %(org_id)s and domain = %(domain)s;
