-- name: principal_by_key
-- across organisations: authentication finds out which organisation is asking.
-- Confessed side effect: notes the use, at most once an hour, for the idle switch-off.
with used as (
    update api_key set last_used_at = now()
    where fingerprint = %(fingerprint)s and enabled
      and (last_used_at is null or last_used_at < now() - interval '1 hour')
      and (%(idle_days)s = 0 or coalesce(last_used_at, created_at) > now() - make_interval(days => %(idle_days)s))
)
select o.org_id, o.name, k.access, k.key_id, coalesce(u.email, ''), o.time_zone, o.currency, o.language, o.settings
from api_key k
join organisation o using (org_id)
left join login_user u on u.user_id = k.created_by
where k.fingerprint = %(fingerprint)s and k.enabled
  and (%(idle_days)s = 0 or coalesce(k.last_used_at, k.created_at) > now() - make_interval(days => %(idle_days)s))

-- name: principal_by_token
-- across organisations: authentication finds out which organisation is asking.
select o.org_id, o.name, 'event_token', t.key_id, coalesce(u.email, ''), o.time_zone, o.currency, o.language, o.settings
from api_token t
join api_key k using (org_id, key_id)
join organisation o using (org_id)
left join login_user u on u.user_id = k.created_by
where t.fingerprint = %(fingerprint)s and t.expires_at > now() and k.enabled

-- name: principal_by_login
-- across organisations: a login names a person; the first membership is the organisation of this call.
select o.org_id, o.name, 'full', null::bigint, u.email, o.time_zone, o.currency, o.language, o.settings, u.password_hash
from login_user u
join membership m using (user_id)
join organisation o using (org_id)
where u.email = %(email)s and u.blocked_at is null and u.password_hash is not null and m.role = 'admin'
order by o.org_id limit 1

-- name: first_organisation
-- across organisations: the first start asks whether there is any.
select org_id from organisation order by org_id limit 1

-- name: insert_organisation
-- across organisations: makes one.
insert into organisation (name) values (%(name)s) returning org_id

-- name: insert_login
-- across organisations: a person's login is one for all their organisations.
insert into login_user (email, password_hash) values (%(email)s, %(password_hash)s)
on conflict (email) do update set email = excluded.email
returning user_id

-- name: insert_membership
insert into membership (org_id, user_id, role) values (%(org_id)s, %(user_id)s, %(role)s)

-- name: insert_api_key
insert into api_key (org_id, fingerprint, hint, description, access, created_by)
values (%(org_id)s, %(fingerprint)s, %(hint)s, %(description)s, %(access)s, %(created_by)s)
returning key_id

-- name: insert_api_token
insert into api_token (org_id, fingerprint, key_id, expires_at)
values (%(org_id)s, %(fingerprint)s, %(key_id)s, now() + make_interval(days => %(days)s))

-- name: list_api_keys
select key_id, hint, description, access, enabled, created_at, last_used_at
from api_key where org_id = %(org_id)s order by key_id

-- name: enable_api_key
update api_key set enabled = %(enabled)s where org_id = %(org_id)s and key_id = %(key_id)s returning key_id

-- name: first_admin
select u.user_id from membership m join login_user u using (user_id)
where m.org_id = %(org_id)s and m.role = 'admin' order by u.user_id limit 1

-- name: organisation
select name, time_zone, currency, language, settings from organisation where org_id = %(org_id)s

-- name: update_organisation
update organisation
set name = coalesce(%(name)s::text, name), time_zone = coalesce(%(time_zone)s::text, time_zone),
    currency = coalesce(%(currency)s::text, currency), language = coalesce(%(language)s::text, language),
    settings = settings || %(settings)s::jsonb
where org_id = %(org_id)s

-- name: change_api_key
update api_key
set description = coalesce(%(description)s::text, description), enabled = coalesce(%(enabled)s::boolean, enabled)
where org_id = %(org_id)s and key_id = %(key_id)s
returning key_id, hint, description, access, enabled, created_at, last_used_at

-- name: delete_api_key
-- With its tokens.
with tokens as (
    delete from api_token where org_id = %(org_id)s and key_id = %(key_id)s
)
delete from api_key where org_id = %(org_id)s and key_id = %(key_id)s returning key_id
