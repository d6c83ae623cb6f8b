-- name: load_subscriptions
-- Where the browsers of these tokens are reached, and by whose key.
select t.token, s.endpoint, s.p256dh, s.auth, s.app_id, d.domain, d.vapid_public, d.vapid_private
from unnest(string_to_array(%(tokens)s, E'\x1f', E'\x1e')) as given (token)
cross join lateral (
    select t.token_id, t.token from push_token t
    where t.org_id = %(org_id)s and t.token = given.token and t.kind = 'webpush'
    offset 0
) as t
cross join lateral (
    select * from webpush_subscription s where s.org_id = %(org_id)s and s.token_id = t.token_id
    offset 0
) as s
join webpush_domain d on d.org_id = %(org_id)s and d.app_id = s.app_id and d.vapid_private is not null;
