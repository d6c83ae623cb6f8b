-- name: insert_message
insert into message (org_id, channel, name, language, tags, subscriptions_keys, engine)
values (%(org_id)s, %(channel)s, %(name)s, %(language)s, %(tags)s, %(keys)s, %(engine)s)
returning message_id

-- name: update_message
update message set name = %(name)s, language = %(language)s, engine = %(engine)s,
                   tags = %(tags)s, subscriptions_keys = %(keys)s, updated_at = now()
where org_id = %(org_id)s and message_id = %(message_id)s

-- name: set_engine
update message set engine = %(engine)s where org_id = %(org_id)s and message_id = %(message_id)s

-- name: set_utm
update message set utm = %(utm)s, updated_at = now() where org_id = %(org_id)s and message_id = %(message_id)s

-- name: delete_message
-- Soft: campaigns and history keep referring to it.
update message set deleted_at = now()
where org_id = %(org_id)s and message_id = %(message_id)s and channel = %(channel)s and deleted_at is null
returning message_id

-- name: put_version
insert into message_version (org_id, message_id, language, content)
values (%(org_id)s, %(message_id)s, %(language)s, %(content)s)
on conflict (org_id, message_id, language) do update set content = excluded.content, updated_at = now()

-- name: rename_version
-- The base version changed its language.
update message_version set language = %(language)s
where org_id = %(org_id)s and message_id = %(message_id)s and language = %(old)s

-- name: delete_version
delete from message_version
where org_id = %(org_id)s and message_id = %(message_id)s and language = %(language)s
returning language

-- name: get_messages
-- Whole messages by id, versions gathered in the same statement.
select m.message_id, m.channel, m.name, m.language, m.tags, m.subscriptions_keys, m.engine, m.updated_at,
       (select jsonb_object_agg(v.language, v.content) from message_version v
        where v.org_id = m.org_id and v.message_id = m.message_id) as versions, m.utm
from message m
where m.org_id = %(org_id)s and m.message_id = any(%(ids)s::bigint[]) and m.deleted_at is null
order by m.message_id

-- name: lock_message
select message_id from message
where org_id = %(org_id)s and message_id = %(message_id)s and deleted_at is null for update

-- name: search_messages
-- By part of the name (case ignored) or a whole tag; newest first. `channel` null: all channels.
select message_id, count(*) over () from message
where org_id = %(org_id)s and (%(channel)s::text is null or channel = %(channel)s) and deleted_at is null
  and (%(search)s = '' or position(lower(%(search)s) in lower(name)) > 0 or %(search)s = any(tags))
order by message_id desc offset %(offset)s limit %(limit)s

-- name: count_messages
select count(*) from message
where org_id = %(org_id)s and (%(channel)s::text is null or channel = %(channel)s) and deleted_at is null
  and (%(search)s = '' or position(lower(%(search)s) in lower(name)) > 0 or %(search)s = any(tags))

-- name: change_tags
update message m
set updated_at = now(), tags = array(
    select tag from unnest(m.tags || %(add)s::text[]) with ordinality as t (tag, n)
    where tag <> all(%(remove)s::text[]) group by tag order by min(n))
where m.org_id = %(org_id)s and m.message_id = any(%(message_ids)s::bigint[]) and m.deleted_at is null
returning m.message_id, cardinality(m.tags)

-- name: unknown_categories
select key from unnest(%(keys)s::text[]) as key
where not exists (select from subscription_category c where c.org_id = %(org_id)s and c.key = key.key)
