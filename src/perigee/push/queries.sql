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

-- name: insert_app
insert into app (org_id, app_id, kind, name) values (%(org_id)s, %(app_id)s, %(kind)s, %(name)s)
on conflict (org_id, app_id) do nothing;

-- name: list_apps
select app_id, kind, name from app where org_id = %(org_id)s order by created_at, app_id;

-- name: app_kind
select kind from app where org_id = %(org_id)s and app_id = %(app_id)s;

-- name: app_credentials
select kind, credentials from app where org_id = %(org_id)s and app_id = %(app_id)s;

-- name: lock_app_credentials
select kind, credentials from app where org_id = %(org_id)s and app_id = %(app_id)s for update;

-- name: set_app_credentials
update app set credentials = %(stored)s where org_id = %(org_id)s and app_id = %(app_id)s;

-- name: load_devices
-- The applications of these tokens, and when each last registered. A token may name an application that is not
-- registered; then an organisation's only one with keys stands in.
select t.token, coalesce(a.app_id, lone.app_id), coalesce(a.credentials, lone.credentials), t.updated_at
from unnest(string_to_array(%(tokens)s, E'\x1f', E'\x1e')) as given (token)
cross join lateral (
    select t.token, t.app_id, t.updated_at from push_token t
    where t.org_id = %(org_id)s and t.token = given.token and t.kind = %(kind)s
    offset 0
) as t
left join app a on a.org_id = %(org_id)s and a.app_id::text = t.app_id and a.credentials is not null
left join (
    select (array_agg(app_id))[1] as app_id, (array_agg(credentials))[1] as credentials
    from app where org_id = %(org_id)s and kind = %(kind)s and credentials is not null
    having count(*) = 1
) lone on a.app_id is null;

-- name: delete_app
delete from app where org_id = %(org_id)s and app_id = %(app_id)s;

-- name: mute_token
-- Of the application, or stored without one. No seconds: for ever, as the wire has it.
update push_token
set muted_until = coalesce(now() + make_interval(secs => %(seconds)s::float8), '9999-12-31 23:59:59+00')
where org_id = %(org_id)s and kind = 'telegram' and token = %(token)s and app_id in (%(app_id)s, '');

-- name: unmute_token
update push_token set muted_until = null
where org_id = %(org_id)s and kind = 'telegram' and token = %(token)s and app_id in (%(app_id)s, '');

-- name: webpush_scripts
-- What the scripts of a domain are made from.
select org_id, app_id, domain, service_worker_name, service_worker_path, service_worker_scope, vapid_public
from webpush_domain
where org_id = %(org_id)s and domain = any(%(domains)s)
order by domain desc
limit 1;

-- name: set_vapid_keys
-- Once only: a new pair would end every subscription.
update webpush_domain set vapid_public = %(public)s, vapid_private = %(private)s
where org_id = %(org_id)s and app_id = %(app_id)s and vapid_public is null;

-- name: webpush_site_by_key
-- across organisations: the public key is all that a page and its worker know of us.
select org_id, app_id, domain, service_worker_name, service_worker_path, service_worker_scope, vapid_public
from webpush_domain
where vapid_public = %(public)s;

-- name: living_contacts
select contact_id, language is not null as has_language from contact
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]) and deleted_at is null;

-- name: holders_of_webpush_tokens
select t.token, t.contact_id
from unnest(string_to_array(%(tokens)s, E'\x1f', E'\x1e')) as given (token)
cross join lateral (
    select t.token, t.contact_id from push_token t
    where t.org_id = %(org_id)s and t.token = given.token and t.kind = 'webpush'
    offset 0
) as t;

-- name: put_webpush_subscriptions
-- Sorted against deadlocks. `is_new`: the browser had none before.
insert into webpush_subscription as known (org_id, token_id, app_id, endpoint, p256dh, auth, visitor_id)
select %(org_id)s, t.token_id, given.app_id, given.endpoint, given.p256dh, given.auth, given.visitor_id
from unnest(
    %(tokens)s::text[], %(app_ids)s::bigint[], %(endpoints)s::text[], %(p256dhs)s::bytea[], %(auths)s::bytea[],
    %(visitors)s::text[]
) as given (token, app_id, endpoint, p256dh, auth, visitor_id)
cross join lateral (
    select t.token_id from push_token t
    where t.org_id = %(org_id)s and t.token = given.token and t.kind = 'webpush' and t.app_id = given.app_id::text
    offset 0
) as t
order by t.token_id
on conflict (org_id, token_id) do update
set endpoint = excluded.endpoint, p256dh = excluded.p256dh, auth = excluded.auth, updated_at = now(),
    visitor_id = coalesce(excluded.visitor_id, known.visitor_id)
returning endpoint, xmax = 0 as is_new;

-- name: drop_webpush_tokens
-- Those that a browser has exchanged for another.
delete from push_token
where org_id = %(org_id)s and kind = 'webpush' and token = any(string_to_array(%(tokens)s, E'\x1f', E'\x1e'))
returning contact_id;

-- name: browsers_of_visitors
-- Web-push tokens of visitors that another contact holds: (token id, who holds it, who shall).
select t.token_id, t.contact_id, given.contact_id
from unnest(
    string_to_array(%(visitors)s, E'\x1f', E'\x1e'), string_to_array(%(contacts)s, E'\x1f', E'\x1e')::bigint[]
) as given (visitor_id, contact_id)
cross join lateral (
    select s.token_id from webpush_subscription s
    where s.org_id = %(org_id)s and s.visitor_id = given.visitor_id
    offset 0
) as s
cross join lateral (
    select t.token_id, t.contact_id from push_token t
    where t.org_id = %(org_id)s and t.token_id = s.token_id
    offset 0
) as t
where t.contact_id <> given.contact_id
order by t.token_id;

-- name: move_browsers
update push_token t set contact_id = given.contact_id, updated_at = now()
from unnest(%(token_ids)s::bigint[], %(contacts)s::bigint[]) as given (token_id, contact_id)
where t.org_id = %(org_id)s and t.token_id = given.token_id;

-- name: empty_webpush_contacts
-- Of these contacts those that a subscription made, and that hold nothing any more by which they could be reached or
-- known.
select c.contact_id
from contact c
where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]) and c.source = 'webpush'
  and c.deleted_at is null and c.external_id is null and c.email is null and c.phone is null
  and not exists (select from push_token t where t.org_id = %(org_id)s and t.contact_id = c.contact_id);

-- name: hand_over_events
-- What a browser's contact did is what its person did.
update event e set contact_id = given.new_id
from unnest(%(old_ids)s::bigint[], %(new_ids)s::bigint[]) as given (old_id, new_id)
where e.org_id = %(org_id)s and e.contact_id = given.old_id;

-- name: hand_over_visitors
update visitor v set contact_id = given.new_id
from unnest(%(old_ids)s::bigint[], %(new_ids)s::bigint[]) as given (old_id, new_id)
where v.org_id = %(org_id)s and v.contact_id = given.old_id;

-- name: webpush_sites
select app_id, domain, vapid_public,
       (select count(*) from webpush_subscription s where s.org_id = %(org_id)s and s.app_id = d.app_id)
from webpush_domain d
where d.org_id = %(org_id)s and (%(app_id)s::bigint is null or d.app_id = %(app_id)s)
order by d.app_id;

-- name: replace_vapid_keys
update webpush_domain set vapid_public = %(public)s, vapid_private = %(private)s
where org_id = %(org_id)s and app_id = %(app_id)s;
