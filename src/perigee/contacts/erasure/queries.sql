-- name: identities
-- Who is to be erased, as the texts that other tables may hold; with those who were merged into them, for they are the
-- same person.
with recursive same (contact_id, external_id, email, phone) as (
    select contact_id, external_id, email, phone from contact
    where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    union all
    select m.merged_id, m.merged_card ->> 'external_id', m.merged_card ->> 'email', m.merged_card ->> 'phone'
    from same join contact_merge m on m.org_id = %(org_id)s and m.survivor_id = same.contact_id and m.undone_at is null
)
select c.contact_id, c.external_id, c.email, c.phone, ae.spelling, ap.spelling
from same c
left join address ae on ae.org_id = %(org_id)s and ae.kind = 'email' and ae.value = c.email
left join address ap on ap.org_id = %(org_id)s and ap.kind = 'phone' and ap.value = c.phone;

-- name: lock_imports
-- Imports that hold something of these people: those still to be applied, whose rows are compressed, and those whose
-- mapping or refusals name them. Whoever is being applied at this moment is waited for.
select i.session_id, i.payload, i.mapping, i.failures
from contact_import i
where i.org_id = %(org_id)s
  and (i.payload is not null
       or exists (select from unnest(%(needles)s::bytea[]) as needle where position(needle in i.mapping) > 0)
       or exists (select from unnest(%(texts)s::text[]) as t where position(lower(t) in lower(i.failures::text)) > 0))
order by i.session_id
for update;

-- name: rewrite_import
update contact_import set payload = %(payload)s, mapping = %(mapping)s, failures = %(failures)s::jsonb
where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: erase_queue
-- Messages that wait for another try lose their recipient: the sender drops them, so that the books still add up.
-- Before the tokens go, which are the recipients of some channels.
update send_retry r set recipient = 0, reason = '', due_at = now()
from send s
where r.org_id = %(org_id)s and s.org_id = r.org_id and s.send_id = r.send_id
  and case when s.channel in ('webpush', 'mobilepush', 'telegram') then r.recipient in (
               select token_id from push_token where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]))
           else r.recipient = any(%(contact_ids)s::bigint[]) end;

-- name: erase_contacts
-- Gone for good, with their tokens, memberships and derived facts.
with gone as (
    delete from contact where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    returning contact_id
), tokens as (
    delete from push_token where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), members as (
    delete from segment_member where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), facts as (
    delete from contact_orders where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), cells as (
    delete from contact_rfm where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), moves as (
    delete from rfm_move where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
)
select contact_id from gone;

-- name: remember_for_sweep
-- A sender or a receipt may still have them in hand; `sweep` comes once more and then forgets the number too.
insert into erased_contact (org_id, contact_id)
select %(org_id)s, unnest(%(contact_ids)s::bigint[])
on conflict (org_id, contact_id) do nothing;

-- name: due_for_sweep
-- across organisations: housekeeping; upkeep goes on from there one organisation at a time.
select org_id, array_agg(contact_id order by contact_id) from erased_contact
where erased_at < now() - make_interval(secs => %(seconds)s)
group by org_id;

-- name: forget_swept
delete from erased_contact where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_orders
-- Sums and goods stay for the books; who bought, and what else the shop said about it, does not.
with mine as (
    update orders set contact_id = null, details = '{}'
    where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    returning order_id
)
update order_item i set details = '{}' from mine
where i.org_id = %(org_id)s and i.order_id = mine.order_id and i.details <> '{}';

-- name: erase_events
delete from event where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_deliveries
-- The ledger keeps its rows, so that its books still balance; they are nobody's from now on. With them goes what
-- providers reported about these messages, and what callers who sent them wrote for one person only.
with mine as (
    update delivery set contact_id = 0, address = null, provider_text = null
    where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    returning send_id, ordinal
), late as (
    update late_bounce l set reason = '' from mine
    where l.org_id = %(org_id)s and l.send_id = mine.send_id and l.ordinal = mine.ordinal
), reports as (
    update waiting_report w set detail = null from mine
    where w.org_id = %(org_id)s and w.send_id = mine.send_id and w.ordinal = mine.ordinal
), audience as (
    update send_batch b
    set recipients = array(
        select case when recipient = any(%(contact_ids)s::bigint[]) then 0 else recipient end
        from unnest(b.recipients) with ordinality as r (recipient, n) order by n)
    from send s
    where b.org_id = %(org_id)s and s.org_id = b.org_id and s.send_id = b.send_id
      and s.channel not in ('webpush', 'mobilepush', 'telegram') -- whose recipients are tokens
      and (b.done_at is null or b.send_id in (select send_id from mine)
           or b.send_id in (select send_id from send_recipient
                            where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])))
      and b.recipients && %(contact_ids)s::bigint[]
)
select count(*) from mine;

-- name: erase_own_words
-- What a caller of the API wrote for one message to one person: no message of the library, so nobody else's. Messages
-- that were still waiting have ended, as nobody's, when the sweep comes.
with touched as (
    select send_id from delivery where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
    union
    select send_id from delivery
    where org_id = %(org_id)s and contact_id = 0 and at > now() - interval '1 hour'
), theirs as (
    select s.send_id, s.content_digest
    from touched join send s on s.org_id = %(org_id)s and s.send_id = touched.send_id
    where s.kind <> 'campaign' and s.message_id is null and s.chosen = 1
      and not exists (select from send_batch b where b.org_id = %(org_id)s and b.send_id = s.send_id and b.done_at is null)
      and not exists (select from send_retry r where r.org_id = %(org_id)s and r.send_id = s.send_id)
), unshared as (
    select content_digest as digest from theirs
    where not exists (select from send o where o.org_id = %(org_id)s and o.content_digest = theirs.content_digest and o.message_id is null
                      and o.send_id not in (select send_id from theirs))
), links as (
    delete from content_link l using unshared u where l.org_id = %(org_id)s and l.digest = u.digest
)
delete from send_content c using unshared u where c.org_id = %(org_id)s and c.digest = u.digest;

-- name: erase_activity
update activity set contact_id = 0, detail = null, meta = null
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_waiting
-- What callers said about them, receipts that wait for their message, and what the sandbox shows.
with given as (
    delete from send_recipient where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
), strays as (
    delete from smpp_stray where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
)
delete from sandbox_message where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_jobs
-- Arguments of jobs that are still to run, or failed.
update procrastinate_jobs j
set args = jsonb_set(j.args, '{contact_ids}', coalesce(
    (select jsonb_agg(given.n) from jsonb_array_elements(j.args -> 'contact_ids') as given (n)
     where given.n::bigint <> all(%(contact_ids)s::bigint[])), '[]'))
where j.args ->> 'org_id' = (%(org_id)s)::text and jsonb_typeof(j.args -> 'contact_ids') = 'array'
  and exists (select from jsonb_array_elements(j.args -> 'contact_ids') as given (n)
              where given.n::bigint = any(%(contact_ids)s::bigint[]));

-- name: erase_steps
update contact_upload_step
set contact_ids = array(
    select case when id = any(%(contact_ids)s::bigint[]) then 0 else id end
    from unnest(contact_ids) with ordinality as s (id, n) order by n)
where org_id = %(org_id)s and contact_ids && %(contact_ids)s::bigint[];

-- name: erase_marks
-- Where pages began: hints of minutes, made again by the next walk.
delete from page_mark where org_id = %(org_id)s and key_id = any(%(contact_ids)s::bigint[]);

-- name: erase_merges
delete from contact_merge
where org_id = %(org_id)s
  and (survivor_id = any(%(contact_ids)s::bigint[]) or merged_id = any(%(contact_ids)s::bigint[]));

-- name: erase_inbox
with tokens as (
    delete from inbox_session where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[])
)
delete from inbox_message where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_promo_codes
-- The code was given away and stays so; to whom is forgotten.
update promo_code set contact_id = null
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: erase_contact_log
-- What the consent log says of the contacts themselves: categories joined and left.
delete from consent_log
where org_id = %(org_id)s and contact_id = any(%(contact_ids)s::bigint[]);

-- name: nobodys
-- Which of these texts no contact holds any more: what is found under one of them was about the erased.
select given.value from unnest(%(values)s::text[]) as given (value)
where not exists (select from contact c where c.org_id = %(org_id)s and c.email = given.value)
  and not exists (select from contact c where c.org_id = %(org_id)s and c.phone = ltrim(given.value, '+'))
  and not exists (select from contact c where c.org_id = %(org_id)s and c.external_id = given.value);

-- name: erase_nobodys_events
-- Events that found no contact, or whose contact nobody knew yet, with an identifier of theirs anywhere in them.
delete from event e
where e.org_id = %(org_id)s and e.contact_id is null
  and (e.event_key = any(%(values)s::text[]) or exists (
      select from jsonb_path_query(e.params, 'strict $.**') as v
      where lower(v #>> '{}') = any(%(values)s::text[])
         or translate(v #>> '{}', ' -()', '') = any(%(values)s::text[])));

-- name: erase_event_errors
-- Refused events with an identifier of theirs anywhere in them.
delete from event_error e
where e.org_id = %(org_id)s and (
    lower(e.event_key) = any(%(values)s::text[])
    or e.event_key = any(select unnest(%(contact_ids)s::bigint[])::text)
    or exists (select from unnest(%(texts)s::text[]) as t
               where position(t in lower(e.body)) > 0 or position(t in lower(e.reason)) > 0)
    or exists (select from unnest(%(contact_ids)s::bigint[]) as id
               where e.body ~ ('(^|[^0-9])' || id || '($|[^0-9])')));

-- name: erase_nobodys_orders
-- Orders whose customer was not found keep their sums.
update orders o set details = '{}'
where o.org_id = %(org_id)s and o.contact_id is null and o.details <> '{}' and exists (
    select from jsonb_path_query(o.details, 'strict $.**') as v
    where lower(v #>> '{}') = any(%(values)s::text[])
       or translate(v #>> '{}', ' -()', '') = any(%(values)s::text[]));

-- name: erase_nobodys_messages
delete from sandbox_message
where org_id = %(org_id)s and contact_id is null and lower(address) = any(%(values)s::text[]);

-- name: erase_nobodys_reports
update waiting_report w set detail = null
where w.org_id = %(org_id)s and exists (
    select from unnest(%(texts)s::text[]) as t where position(t in lower(w.detail)) > 0);

-- name: erase_kept_answers
-- Of calls that may be repeated: that they were made stays, so that nothing is done twice; the answer does not.
update idempotency_key k set body = '{}'
where k.org_id = %(org_id)s and k.body is not null and exists (
    select from unnest(%(needles)s::bytea[]) as needle where position(needle in k.body) > 0);

-- name: erase_kept_keys
delete from idempotency_key k
where k.org_id = %(org_id)s and exists (
    select from unnest(%(texts)s::text[]) as t where position(t in lower(k.key)) > 0);

-- name: erase_came_back
-- Mail that came back and was not read yet, or cannot be: of these people, or with their address in it.
delete from bounce_mail m
where m.org_id = %(org_id)s
  and (m.contact_id = any(%(contact_ids)s::bigint[]) or lower(m.recipient) = any(%(texts)s::text[]) or exists (
      select from unnest(%(needles)s::bytea[]) as needle where position(needle in m.raw) > 0));

-- name: erase_addresses
-- Addresses that nobody holds any more. One that must not be written to leaves its keyed hash, so that whoever brings
-- it back does not bring it back to life.
with given as (
    select kind, value
    from unnest(%(kinds)s::text[], %(values)s::text[]) as given (kind, value)
    where not exists (
        select from contact c
        where c.org_id = %(org_id)s
          and ((given.kind = 'email' and c.email = given.value) or (given.kind = 'phone' and c.phone = given.value))
    )
), gone as (
    delete from address a using given
    where a.org_id = %(org_id)s and a.kind = given.kind and a.value = given.value
    returning a.*
), log as (
    delete from consent_log l using given
    where l.org_id = %(org_id)s and l.kind = given.kind and l.value = given.value
), suppressed as (
    select * from gone
    where unsubscribed_at is not null or complained_at is not null or blacklisted_at is not null
), key as (
    insert into erasure_key (org_id) select %(org_id)s where exists (select from suppressed)
    on conflict (org_id) do update set org_id = excluded.org_id
    returning key
)
insert into erased_address (org_id, kind, fingerprint, unsubscribed_at, complained_at, blacklisted_at)
select %(org_id)s, s.kind, sha256(key.key || convert_to(s.value, 'UTF8')), s.unsubscribed_at, s.complained_at,
       s.blacklisted_at
from suppressed s cross join key
on conflict (org_id, kind, fingerprint) do nothing;
