-- name: load_devices
-- The applications of these tokens, and when each last registered. A token may name an application that is not
-- registered; then an organisation's only one with keys stands in.
select t.token, coalesce(a.app_id, lone.app_id), coalesce(a.credentials, lone.credentials), t.updated_at
from unnest(string_to_array(%(tokens)s, E'\x1f', E'\x1e')) as given (token)
cross join lateral (
    select t.token, t.app_id, t.updated_at from push_token t
    where t.org_id = %(org_id)s and t.token = given.token and t.kind = 'mobilepush'
    offset 0
) as t
left join app a on a.org_id = %(org_id)s and a.app_id::text = t.app_id and a.credentials is not null
left join (
    select (array_agg(app_id))[1] as app_id, (array_agg(credentials))[1] as credentials
    from app where org_id = %(org_id)s and kind = 'mobilepush' and credentials is not null
    having count(*) = 1
) lone on a.app_id is null;
