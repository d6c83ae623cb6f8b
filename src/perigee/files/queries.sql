-- name: insert_file
insert into data_file (org_id, kind) values (%(org_id)s, %(kind)s) returning file_id;

-- name: has_file
select exists (select from data_file where org_id = %(org_id)s and file_id = %(file_id)s);

-- name: insert_load
insert into data_file_load (org_id, session_id, file_id, link, ttl_hours)
values (%(org_id)s, %(session_id)s, %(file_id)s, %(link)s, %(ttl_hours)s);

-- name: begin_load
-- All that a job needs, unless the load has ended already.
update data_file_load l set status = 'PROCESSING', updated_at = now()
from data_file f
where l.org_id = %(org_id)s and l.session_id = %(session_id)s and l.status in ('PENDING', 'PROCESSING')
  and f.org_id = l.org_id and f.file_id = l.file_id
returning l.link, l.file_id, f.kind;

-- name: lock_load
-- Of two workers on one load the second waits here and then finds it ended.
select ttl_hours from data_file_load
where org_id = %(org_id)s and session_id = %(session_id)s and status = 'PROCESSING'
for update;

-- name: clear_file
delete from data_value where org_id = %(org_id)s and file_id = %(file_id)s;

-- name: insert_values
insert into data_value (org_id, key, file_id, value)
select %(org_id)s, key, %(file_id)s, value
from unnest(string_to_array(%(keys)s, E'\x1f', E'\x1e'), string_to_array(%(values)s, E'\x1f', E'\x1e')) as given (key, value)
on conflict (org_id, key, file_id) do update set value = excluded.value;

-- name: finish_load
with loaded as (
    update data_file_load set status = 'COMPLETED', link = null, description = %(description)s, updated_at = now()
    where org_id = %(org_id)s and session_id = %(session_id)s
)
update data_file
set elements = %(elements)s, loaded_at = clock_timestamp(), expires_at = now() + make_interval(hours => %(ttl_hours)s)
where org_id = %(org_id)s and file_id = %(file_id)s;

-- name: fail_load
-- The data of the last load stay.
update data_file_load set status = 'ERROR', link = null, description = %(description)s, updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s and status in ('PENDING', 'PROCESSING');

-- name: load_state
select status, description from data_file_load where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: live_files
select file_id, kind, elements from data_file
where org_id = %(org_id)s and expires_at > now()
order by loaded_at desc;

-- name: values_by_key
-- One value per key and file.
select key, file_id, value from data_value
where org_id = %(org_id)s and key = any(%(keys)s::text[]) and file_id = any(%(file_ids)s::bigint[]);

-- name: erase_values
delete from data_value v
using data_file f
where v.org_id = %(org_id)s and v.key = any(%(emails)s::text[])
  and f.org_id = v.org_id and f.file_id = v.file_id and f.kind = 'Key';

-- name: prune_values
-- across organisations: housekeeping, so many at a time.
delete from data_value v
where v.ctid = any(array(
    select d.ctid from data_value d join data_file f on f.org_id = d.org_id and f.file_id = d.file_id
    where f.expires_at <= now()
    limit %(rows)s
));

-- name: prune_loads
-- across organisations: a month after its end nobody asks for a load any more.
delete from data_file_load where status in ('COMPLETED', 'ERROR') and updated_at < now() - interval '30 days';
