-- name: languages
-- Whose words a page speaks: the person's language, the organisation's.
select o.name, c.language, o.language
from organisation o
left join contact c on c.org_id = o.org_id and c.contact_id = %(contact_id)s
where o.org_id = %(org_id)s

-- name: choices
-- What a living contact gets now. Addresses: that which the message went to, of the other kind the contact's own.
select coalesce((
           select jsonb_agg(jsonb_build_array(s.key, s.name, m.contact_id is not null) order by s.category_id)
           from subscription_category s
           left join segment_member m on m.org_id = s.org_id and m.segment_id = s.segment_id
               and m.contact_id = %(contact_id)s
           where s.org_id = %(org_id)s
       ), '[]'),
       coalesce((
           select jsonb_object_agg(a.kind, jsonb_build_array(
               a.value, a.confirmed and a.unsubscribed_at is null and a.complained_at is null))
           from address a
           where a.org_id = %(org_id)s
             and ((a.kind = 'email' and a.value = coalesce(%(email)s, c.email))
                  or (a.kind = 'phone' and a.value = coalesce(%(phone)s, c.phone)))
       ), '{}'),
       coalesce((
           select jsonb_object_agg(t.kind, t.active) from (
               select kind, bool_or(active) as active from push_token
               where org_id = %(org_id)s and contact_id = %(contact_id)s
                 and kind in ('webpush', 'mobilepush', 'telegram')
               group by kind
           ) t
       ), '{}')
from contact c
where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s and c.deleted_at is null

-- name: grant_address
-- The owner's own word: ends whatever kept marketing from the address, complaints included, and is logged with its proof.
with granted as (
    update address
    set confirmed = true, unsubscribed_at = null, unsubscribe_source = null, unsubscribe_reason = null,
        complained_at = null
    where org_id = %(org_id)s and kind = %(kind)s and value = %(value)s
      and (not confirmed or unsubscribed_at is not null or complained_at is not null)
    returning kind, value
)
insert into consent_log (org_id, kind, value, contact_id, action, source, send_id, detail)
select %(org_id)s, kind, value, %(contact_id)s, %(action)s, %(source)s, %(send_id)s, %(detail)s::jsonb from granted
returning 1

-- name: set_tokens
-- Switches all tokens of these kinds on or off and logs each kind once. Sorted against deadlocks.
with wanted as (
    select * from unnest(%(kinds)s::text[], %(actives)s::boolean[]) as w (kind, active)
), chosen as (
    select t.token_id, w.active
    from push_token t join wanted w using (kind)
    where t.org_id = %(org_id)s and t.contact_id = %(contact_id)s and t.active <> w.active
    order by t.token_id
    for update of t
), changed as (
    update push_token t set active = chosen.active, updated_at = clock_timestamp()
    from chosen where t.org_id = %(org_id)s and t.token_id = chosen.token_id
    returning t.kind, t.active
)
insert into consent_log (org_id, kind, value, contact_id, action, source, reason, send_id, detail)
select distinct on (kind) %(org_id)s, kind, %(contact_id)s::bigint::text, %(contact_id)s::bigint,
       case when active then 'resubscribed' else 'unsubscribed' end, %(source)s, %(reason)s, %(send_id)s,
       %(detail)s::jsonb
from changed order by kind

-- name: confirmation_settings
-- Null where the organisation has its own way to ask. The language is for people without one.
select o.language, coalesce(o.settings ->> 'confirmation_mail', 'true') = 'true',
       coalesce((o.settings ->> 'confirmation_message_id')::bigint, 0),
       coalesce(o.settings ->> 'confirmation_redirect', '')
from organisation o where o.org_id = %(org_id)s

-- name: claim_confirmations
-- Of the contacts named, one for each address that waits for its owner's word and was not asked for it lately. Their
-- addresses are marked as asked. Sorted against deadlocks.
with waiting as (
    select distinct on (a.value) a.value, c.contact_id
    from contact c
    join address a on a.org_id = c.org_id and a.kind = 'email' and a.value = c.email
    where c.org_id = %(org_id)s and c.contact_id = any(%(contact_ids)s::bigint[]) and c.deleted_at is null
    order by a.value, c.contact_id
), asked as (
    update address a set confirmation_asked_at = now()
    from waiting w
    where a.org_id = %(org_id)s and a.kind = 'email' and a.value = w.value
      and (not a.confirmed or a.unsubscribed_at is not null or a.complained_at is not null)
      and a.blacklisted_at is null
      and (a.confirmation_asked_at is null or a.confirmation_asked_at <= now() - make_interval(hours => %(hours)s))
    returning w.contact_id
)
select contact_id from asked order by contact_id

-- name: unsubscribe_reasons
-- Those who left, newest first; leaving without a word is counted but not listed.
select l.log_id, l.at, l.kind, l.value, l.source, l.contact_id, l.reason, l.detail ->> 'comment', l.send_id,
       s.campaign_id, s.message_id, s.message_name
from consent_log l
left join send s on s.org_id = l.org_id and s.send_id = l.send_id
where l.org_id = %(org_id)s and l.action = 'unsubscribed'
  and (l.reason is not null or l.detail ->> 'comment' is not null)
  and (%(before)s = 0 or l.log_id < %(before)s)
order by l.log_id desc limit %(rows)s

-- name: contact_is_known
select 1 from contact where org_id = %(org_id)s and contact_id = %(contact_id)s

-- name: consent_history
-- Every change of an address or contact, newest first, with its proof.
select l.log_id, l.at, l.kind, l.value, l.action, l.source, l.contact_id, l.reason, l.send_id, l.detail
from consent_log l
where l.org_id = %(org_id)s and (l.contact_id = %(contact_id)s
      or (l.kind, l.value) in (select 'email', email from contact where org_id = %(org_id)s and contact_id = %(contact_id)s
                               union all
                               select 'phone', phone from contact where org_id = %(org_id)s and contact_id = %(contact_id)s))
  and (%(before)s = 0 or l.log_id < %(before)s)
order by l.log_id desc limit %(rows)s
