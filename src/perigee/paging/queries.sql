-- name: nearest_mark
select position, key_time, key_id, total, at > now() - interval '1 minute'
from page_mark
where org_id = %(org_id)s and listing = %(listing)s and position <= %(skip)s
  and at > now() - interval '10 minutes'
order by position desc
limit 1;

-- name: leave_mark
insert into page_mark (org_id, listing, position, key_time, key_id, total)
values (%(org_id)s, %(listing)s, %(position)s, %(key_time)s, %(key_id)s, %(total)s)
on conflict (org_id, listing, position) do update
set key_time = excluded.key_time, key_id = excluded.key_id, total = excluded.total, at = excluded.at;

-- name: prune_marks
-- across organisations: housekeeping.
delete from page_mark where at < now() - interval '10 minutes';
