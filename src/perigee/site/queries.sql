-- name: get_domain
select domain, site_id from site_domain where org_id = %(org_id)s;

-- name: put_domain
-- One domain per organisation; the site id stays when the domain changes. `created`: there was none before.
insert into site_domain (org_id, domain, site_id) values (%(org_id)s, %(domain)s, %(site_id)s)
on conflict (org_id) do update set domain = excluded.domain
returning domain, site_id, site_id = %(site_id)s as created;
