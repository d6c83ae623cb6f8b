-- name: insert_domain
insert into sender_domain (org_id, domain, bounce_domain, tracking_domain, allow_unverified)
values (%(org_id)s, %(domain)s, %(bounce_domain)s, %(tracking_domain)s, %(allow_unverified)s)
on conflict (org_id, domain) do nothing
returning domain_id;

-- name: count_domains
select count(*) from sender_domain where org_id = %(org_id)s;

-- name: list_domains
-- With the pairs that sign, wait or were replaced not long ago, the signing one first.
select d.domain_id, d.domain, d.bounce_domain, d.tracking_domain, d.allow_unverified, d.verified_at, d.bounce_verified_at,
       d.tracking_verified_at, d.findings, d.checked_at, d.created_at,
       coalesce((select jsonb_agg(jsonb_build_object(
                            'pair_id', p.pair_id, 'selector', p.selector, 'rsa_public', p.rsa_public,
                            'ed_public', p.ed_public, 'active', p.active, 'rsa_found', p.rsa_found_at is not null,
                            'replaced_at', p.replaced_at)
                        order by p.active desc, p.pair_id desc)
                 from dkim_pair p where p.org_id = d.org_id and p.domain_id = d.domain_id), '[]')
from sender_domain d
where d.org_id = %(org_id)s and (%(domain_id)s::bigint is null or d.domain_id = %(domain_id)s)
order by d.domain_id;

-- name: update_domain
-- Another name for bounces or links counts when it was checked.
update sender_domain
set bounce_domain = coalesce(%(bounce_domain)s, bounce_domain),
    tracking_domain = coalesce(%(tracking_domain)s, tracking_domain),
    allow_unverified = coalesce(%(allow_unverified)s::boolean, allow_unverified),
    bounce_verified_at = case when coalesce(%(bounce_domain)s, bounce_domain) = bounce_domain then bounce_verified_at end,
    tracking_verified_at = case when coalesce(%(tracking_domain)s, tracking_domain) = tracking_domain then tracking_verified_at end,
    check_due_at = now()
where org_id = %(org_id)s and domain_id = %(domain_id)s
returning domain_id;

-- name: delete_domain
delete from sender_domain where org_id = %(org_id)s and domain_id = %(domain_id)s returning domain_id;

-- name: lock_domain
select domain from sender_domain where org_id = %(org_id)s and domain_id = %(domain_id)s for update;

-- name: insert_pair
-- The first pair of a domain is the one that signs, once its records are there; a second one waits.
insert into dkim_pair (org_id, domain_id, selector, rsa_public, ed_public, private, active)
select org_id, domain_id, %(selector)s, %(rsa_public)s, %(ed_public)s, %(private)s,
       not exists (select from dkim_pair p where p.org_id = d.org_id and p.domain_id = d.domain_id and p.active)
from sender_domain d where d.org_id = %(org_id)s and d.domain_id = %(domain_id)s
on conflict (org_id, domain_id) where not active and replaced_at is null do nothing
returning pair_id;

-- name: note_pairs
update dkim_pair p
set rsa_found_at = case when n.rsa then coalesce(p.rsa_found_at, now()) when n.rsa is null then p.rsa_found_at end,
    ed_found_at = case when n.ed then coalesce(p.ed_found_at, now()) when n.ed is null then p.ed_found_at end
from unnest(%(pairs)s::bigint[], %(rsa)s::boolean[], %(ed)s::boolean[]) as n (pair_id, rsa, ed)
where p.org_id = %(org_id)s and p.pair_id = n.pair_id and p.replaced_at is null;

-- name: replace_pair
-- The signing pair makes room for the waiting one whose records are there. What it signed verifies while its records
-- stay; it signs no more, so its private keys go.
update dkim_pair set active = false, replaced_at = now(), private = null
where org_id = %(org_id)s and domain_id = %(domain_id)s and active
  and exists (select from dkim_pair n where n.org_id = %(org_id)s and n.domain_id = %(domain_id)s
              and not n.active and n.replaced_at is null and n.rsa_found_at is not null);

-- name: activate_pair
update dkim_pair p set active = true
where org_id = %(org_id)s and domain_id = %(domain_id)s and not active and replaced_at is null and rsa_found_at is not null
  and not exists (select from dkim_pair a where a.org_id = p.org_id and a.domain_id = p.domain_id and a.active);

-- name: forget_pairs
delete from dkim_pair
where org_id = %(org_id)s and domain_id = %(domain_id)s and replaced_at < now() - make_interval(secs => %(seconds)s);

-- name: note_check
-- A null of the three: the DNS did not say, so it stays as it was. Names that were changed since then are not judged.
update sender_domain
set checked_at = now(), findings = %(findings)s::jsonb,
    verified_at = case when %(verified)s::boolean then coalesce(verified_at, now())
                       when %(verified)s::boolean is null then verified_at end,
    bounce_verified_at = case when bounce_domain <> %(bounce_domain)s then null
                              when %(bounces)s::boolean then coalesce(bounce_verified_at, now())
                              when %(bounces)s::boolean is null then bounce_verified_at end,
    tracking_verified_at = case when tracking_domain <> %(tracking_domain)s then null
                                when %(tracked)s::boolean then coalesce(tracking_verified_at, now())
                                when %(tracked)s::boolean is null then tracking_verified_at end
where org_id = %(org_id)s and domain_id = %(domain_id)s;

-- name: take_due
-- across organisations: the domains whose next check is due, each for one worker. What was never in order is looked at
-- more often in its first days, while somebody waits for it.
update sender_domain d
set check_due_at = clock_timestamp() + case when d.verified_at is null and d.created_at > now() - interval '3 days'
                                            then interval '10 minutes' else interval '6 hours' end
from (
    select org_id, domain_id from sender_domain where check_due_at <= now()
    order by check_due_at limit %(limit)s for update skip locked
) due
where d.org_id = due.org_id and d.domain_id = due.domain_id
returning d.org_id, d.domain_id;

-- name: relays
-- Host and service of the organisation's SMTP relays.
select distinct settings ->> 'host', coalesce(settings ->> 'service', '')
from provider
where org_id = %(org_id)s and channel = 'email' and kind = 'smtp' and enabled
order by 1, 2;

-- name: outfits
-- How email from these domains leaves; null private: unsigned.
select d.domain, case when d.bounce_verified_at is not null then d.bounce_domain end,
       case when d.tracking_verified_at is not null then d.tracking_domain end,
       p.pair_id, p.selector, p.private, p.ed_found_at is not null
from sender_domain d
left join dkim_pair p on p.org_id = d.org_id and p.domain_id = d.domain_id and p.active and p.rsa_found_at is not null
where d.org_id = %(org_id)s
order by d.domain_id;

-- name: unready
-- Of these domains: those that were added here and are not verified.
select domain, allow_unverified from sender_domain
where org_id = %(org_id)s and domain = any(%(domains)s::text[]) and verified_at is null;

-- name: unknown
-- Of these domains: those that were never added.
select wanted from unnest(%(domains)s::text[]) as wanted
where not exists (select from sender_domain d where d.org_id = %(org_id)s and d.domain = wanted)
  and exists (select from provider p where p.org_id = %(org_id)s and p.provider_id = %(provider_id)s and p.kind = 'smtp')
order by 1;
