-- name: keep_messages
insert into sandbox_message (org_id, send_id, ordinal, contact_id, channel, address, sender, body)
select %(org_id)s, m.send_id, m.ordinal, m.contact_id, %(channel)s, m.address, coalesce(m.sender, ''), m.body
from unnest(string_to_array(%(sends)s, E'\x1f')::bigint[], string_to_array(%(ordinals)s, E'\x1f')::int[],
            string_to_array(%(contacts)s, E'\x1f', E'\x1e')::bigint[], string_to_array(%(addresses)s, E'\x1f'),
            string_to_array(%(senders)s, E'\x1f', E'\x1e'), %(bodies)s::bytea[])
     as m (send_id, ordinal, contact_id, address, sender, body)

-- name: list_messages
select sandbox_id, send_id, contact_id, channel, address, sender, body, sent_at
from sandbox_message
where org_id = %(org_id)s and (%(before)s::bigint is null or sandbox_id < %(before)s)
  and (%(channel)s::text is null or channel = %(channel)s)
  and (%(address)s::text is null or lower(address) = %(address)s)
  and (%(send_id)s::bigint is null or send_id = %(send_id)s)
order by sandbox_id desc limit %(limit)s

-- name: get_message
select sandbox_id, send_id, contact_id, channel, address, sender, body, sent_at
from sandbox_message where org_id = %(org_id)s and sandbox_id = %(sandbox_id)s
