-- name: find_contact
-- By external id, else among those with the email or the phone as `contacts.match_contacts` chooses (contract 7.2):
-- one without a foreign external id, email before phone, last updated.
select contact_id
from (
    select c.contact_id, c.external_id, c.updated_at, 1 as rank from contact c
    where c.org_id = %(org_id)s and c.external_id = %(external_id)s and c.deleted_at is null
    union all
    select c.contact_id, c.external_id, c.updated_at, 2 from contact c
    where c.org_id = %(org_id)s and c.email = %(email)s and c.deleted_at is null
    union all
    select c.contact_id, c.external_id, c.updated_at, 3 from contact c
    where c.org_id = %(org_id)s and c.phone = %(phone)s and c.deleted_at is null
) as found
order by rank > 1, %(external_id)s::text is not null and external_id is not null, rank, updated_at desc,
         contact_id desc
limit 1;

-- name: insert_session
insert into inbox_session (org_id, contact_id, session_id, expires_at)
values (%(org_id)s, %(contact_id)s, %(session_id)s, now() + make_interval(secs => %(seconds)s));

-- name: turn_session
-- Takes a token of this number and gives the number of the next; no row when the token is dead. The newest token is
-- taken, which ends the one before; the one before is taken as long as the newest was never used.
update inbox_session s
set generation = greatest(s.generation, %(generation)s::int + 1),
    expires_at = now() + make_interval(secs => %(seconds)s)
where s.org_id = %(org_id)s and s.contact_id = %(contact_id)s and s.session_id = %(session_id)s
  and s.generation - %(generation)s::int in (0, 1) and s.expires_at > now()
  and exists (select from contact c
              where c.org_id = %(org_id)s and c.contact_id = %(contact_id)s and c.deleted_at is null)
returning %(generation)s::int + 1;

-- name: count_unopened
select count(*) from inbox_message
where org_id = %(org_id)s and contact_id = %(contact_id)s and expires_at > now() and opened_at is null;

-- name: count_messages
select count(*) from inbox_message
where org_id = %(org_id)s and contact_id = %(contact_id)s and expires_at > now()
  and (%(opened)s::boolean is null or (opened_at is not null) = %(opened)s::boolean);

-- name: list_messages
-- Newest first.
select inbox_id, created_at, title, content, image, link, category, custom_data, opened_at is not null
from inbox_message
where org_id = %(org_id)s and contact_id = %(contact_id)s and expires_at > now()
  and (%(opened)s::boolean is null or (opened_at is not null) = %(opened)s::boolean)
order by created_at desc, send_id desc, ordinal desc
limit %(rows)s offset %(skip)s;

-- name: open_messages
-- The row is the guard: only who sets its date writes the activity, so a message is read once.
with opened as (
    update inbox_message set opened_at = now()
    where org_id = %(org_id)s and contact_id = %(contact_id)s and expires_at > now() and opened_at is null
      and (%(ids)s::uuid[] is null or inbox_id = any(%(ids)s::uuid[]))
    returning send_id, ordinal, contact_id
)
insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status)
select %(org_id)s, clock_timestamp(), send_id, ordinal, contact_id, 'appinbox', 'READ' from opened;

-- name: insert_messages
-- A message that is there already stays as it is: its sender tries again.
insert into inbox_message (org_id, send_id, ordinal, contact_id, inbox_id, title, content, image, link, category,
                           custom_data, expires_at)
select %(org_id)s, m.send_id, m.ordinal, m.contact_id, m.inbox_id, coalesce(m.title, ''), coalesce(m.content, ''),
       m.image, m.link, m.category, m.custom_data, now() + make_interval(secs => m.ttl)
from unnest(
    string_to_array(%(sends)s, E'\x1f')::bigint[], string_to_array(%(ordinals)s, E'\x1f')::int[],
    string_to_array(%(contacts)s, E'\x1f')::bigint[], string_to_array(%(inbox_ids)s, E'\x1f')::uuid[],
    string_to_array(%(titles)s, E'\x1f', E'\x1e'), string_to_array(%(contents)s, E'\x1f', E'\x1e'),
    string_to_array(%(images)s, E'\x1f', E'\x1e'), string_to_array(%(links)s, E'\x1f', E'\x1e'),
    string_to_array(%(categories)s, E'\x1f', E'\x1e'), string_to_array(%(custom_data)s, E'\x1f', E'\x1e'),
    string_to_array(%(ttls)s, E'\x1f')::float8[]
) as m (send_id, ordinal, contact_id, inbox_id, title, content, image, link, category, custom_data, ttl)
on conflict (org_id, contact_id, send_id, ordinal) do nothing;

-- name: trim_inboxes
-- Of each of these inboxes the newest `keep` messages stay. No join, which the planner would turn around where it has
-- no statistics (db/plans.py): the contacts lead to the rows, their places say which go.
delete from inbox_message
where org_id = %(org_id)s and contact_id = any(%(contacts)s::bigint[]) and ctid = any(array(
    select old.place
    from unnest(%(contacts)s::bigint[]) as given (contact_id)
    cross join lateral (
        select i.ctid as place from inbox_message i
        where i.org_id = %(org_id)s and i.contact_id = given.contact_id
        order by i.created_at desc, i.send_id desc, i.ordinal desc
        offset %(keep)s
    ) as old
));

-- name: prune_messages
-- across organisations: what has expired is shown to nobody any more.
delete from inbox_message where expires_at <= now();

-- name: prune_sessions
-- across organisations: a token that has expired opens nothing.
delete from inbox_session where expires_at <= now();
