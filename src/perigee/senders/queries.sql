-- name: upsert_sender
-- Adding one that is there changes nothing.
insert into sender (org_id, channel, value, confirmed)
values (%(org_id)s, %(channel)s, %(value)s, true)
on conflict (org_id, channel, value) do update set confirmed = true
returning sender_id, channel, value, created_at;

-- name: list_senders
select sender_id, channel, value, created_at
from sender
where org_id = %(org_id)s and confirmed and (%(channel)s::text is null or channel = %(channel)s)
order by sender_id;

-- name: delete_sender
delete from sender where org_id = %(org_id)s and sender_id = %(sender_id)s returning sender_id;
