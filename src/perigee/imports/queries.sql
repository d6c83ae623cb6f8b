-- name: insert_import
insert into file_import (org_id, kind, name) values (%(org_id)s, %(kind)s, %(name)s) returning import_id;

-- name: insert_chunk
insert into import_chunk (org_id, import_id, n, data)
select org_id, import_id, %(n)s, %(data)s
from file_import
where org_id = %(org_id)s and import_id = %(import_id)s and status = 'uploading'
returning n;

-- name: touch_upload
update file_import set touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s and status = 'uploading';

-- name: set_ready
update file_import set status = 'ready', size = %(size)s, found = %(found)s::jsonb, touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s and status = 'uploading'
returning import_id;

-- name: delete_import
delete from file_import where org_id = %(org_id)s and import_id = %(import_id)s;

-- name: find_import
select i.import_id, i.kind, i.name, i.status, i.size, i.found, i.plan,
       i.total, i.done, i.created, i.updated, i.duplicates, i.skipped, i.errors, i.warnings,
       i.created_at, i.started_at, i.finished_at, i.reason,
       exists (select from import_chunk c where c.org_id = i.org_id and c.import_id = i.import_id)
from file_import i
where i.org_id = %(org_id)s and i.import_id = %(import_id)s;

-- name: list_imports
-- The newest first; `before` is the id of the last one of the page before.
select i.import_id, i.kind, i.name, i.status, i.size, i.found, i.plan,
       i.total, i.done, i.created, i.updated, i.duplicates, i.skipped, i.errors, i.warnings,
       i.created_at, i.started_at, i.finished_at, i.reason,
       exists (select from import_chunk c where c.org_id = i.org_id and c.import_id = i.import_id)
from file_import i
where i.org_id = %(org_id)s and (%(before)s = 0 or i.import_id < %(before)s)
  and i.kind = any(%(kinds)s::text[])
order by i.import_id desc
limit %(rows)s;

-- name: chunks
select n, data from import_chunk
where org_id = %(org_id)s and import_id = %(import_id)s and n >= %(first)s
order by n
limit %(rows)s;

-- name: lock_import
-- Every transaction that moves an import on locks its row first, so that two workers, and who cancels, take turns.
select status from file_import where org_id = %(org_id)s and import_id = %(import_id)s for update;

-- name: queue_import
update file_import set status = 'queued', plan = %(plan)s::jsonb, touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s;

-- name: begin_import
update file_import set status = 'running', started_at = coalesce(started_at, now()), touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s and status in ('queued', 'running')
returning import_id;

-- name: set_total
update file_import set total = %(total)s, touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s;

-- name: lock_step
select done, erased from file_import
where org_id = %(org_id)s and import_id = %(import_id)s and status = 'running'
for update;

-- name: finish_step
with step as (
    insert into import_step (org_id, import_id, position, ids)
    values (%(org_id)s, %(import_id)s, %(position)s, string_to_array(%(ids)s, E'\x1f', E'\x1e')::bigint[])
)
update file_import
set done = done + %(length)s, created = created + %(created)s, updated = updated + %(updated)s,
    duplicates = duplicates + %(duplicates)s, skipped = skipped + %(skipped)s, errors = errors + %(errors)s,
    warnings = warnings + %(warnings)s, touched_at = now()
where org_id = %(org_id)s and import_id = %(import_id)s;

-- name: insert_remarks
insert into import_remark (org_id, import_id, line, level, heading, value, rule, subject)
select %(org_id)s, %(import_id)s, line, level, heading, value, rule, subject
from unnest(
    string_to_array(%(lines)s, E'\x1f', E'\x1e')::bigint[],
    string_to_array(%(levels)s, E'\x1f', E'\x1e'),
    string_to_array(%(headings)s, E'\x1f', E'\x1e'),
    string_to_array(%(values)s, E'\x1f', E'\x1e'),
    string_to_array(%(rules)s, E'\x1f', E'\x1e'),
    string_to_array(%(subjects)s, E'\x1f', E'\x1e')::bigint[]
) with ordinality as given (line, level, heading, value, rule, subject, n)
order by n;

-- name: step_ids
select position, ids from import_step
where org_id = %(org_id)s and import_id = %(import_id)s and position > %(after)s
order by position
limit 100;

-- name: end_import
-- Only an import that is not over ends. Its file is forgotten, and what its steps touched.
with ended as (
    update file_import
    set status = %(status)s, reason = %(reason)s, finished_at = now(), touched_at = now(), erased = '{}'
    where org_id = %(org_id)s and import_id = %(import_id)s
      and status in ('uploading', 'ready', 'queued', 'running')
    returning import_id
), chunks as (
    delete from import_chunk c using ended
    where c.org_id = %(org_id)s and c.import_id = ended.import_id
), steps as (
    delete from import_step s using ended
    where s.org_id = %(org_id)s and s.import_id = ended.import_id
)
select import_id from ended;

-- name: remarks
select remark_id, line, level, heading, value, rule from import_remark
where org_id = %(org_id)s and import_id = %(import_id)s and remark_id > %(after)s
order by remark_id
limit %(rows)s;

-- name: lock_unfinished
-- Before contacts are locked, as a step does: none of these moves on until the erasure lasts.
select import_id, status from file_import
where org_id = %(org_id)s and status in ('uploading', 'ready', 'queued', 'running')
order by import_id
for update;

-- name: ensure_key
insert into erasure_key (org_id) values (%(org_id)s)
on conflict (org_id) do update set org_id = excluded.org_id
returning key;

-- name: bar
update file_import set erased = erased || %(marks)s::bytea[]
where org_id = %(org_id)s and import_id = any(%(import_ids)s::bigint[]);

-- name: forget_files
-- Files that wait for their start may hold the row of somebody who is erased: what is in them is not known yet.
with ended as (
    update file_import
    set status = 'cancelled', finished_at = now(),
        reason = 'A contact was erased, which the file may have held; upload it again'
    where org_id = %(org_id)s and status in ('uploading', 'ready')
    returning import_id
)
delete from import_chunk c using ended where c.org_id = %(org_id)s and c.import_id = ended.import_id;

-- name: forget_steps
update import_step
set ids = array(select id from unnest(ids) as id where id <> all(%(contact_ids)s::bigint[]))
where org_id = %(org_id)s and ids && %(contact_ids)s::bigint[];

-- name: forget_values
update import_remark r set value = null, subject = null, rule = 'the contact was erased'
where r.org_id = %(org_id)s
  and (r.subject = any(%(contact_ids)s::bigint[]) or lower(r.value) = any(%(values)s::text[])
       or exists (select from unnest(%(texts)s::text[]) as t where position(t in lower(r.value)) > 0));

-- name: prune_files
-- across organisations: a file that nobody starts to import is kept for a day, half an upload too.
with old as (
    update file_import
    set status = 'cancelled', reason = 'The import was not started within a day', finished_at = now()
    where status in ('uploading', 'ready') and touched_at < now() - interval '1 day'
    returning org_id, import_id
)
delete from import_chunk c using old where c.org_id = old.org_id and c.import_id = old.import_id;

-- name: prune_remarks
-- across organisations: a report is kept for 30 days.
delete from import_remark r using file_import i
where i.org_id = r.org_id and i.import_id = r.import_id and i.finished_at < now() - interval '30 days';

-- name: insert_scheme
insert into import_scheme (org_id, kind, name, plan)
values (%(org_id)s, %(kind)s, %(name)s, %(plan)s::jsonb)
on conflict (org_id, kind, name) do nothing
returning scheme_id;

-- name: update_scheme
update import_scheme set name = %(name)s, plan = %(plan)s::jsonb, updated_at = now()
where org_id = %(org_id)s and scheme_id = %(scheme_id)s
returning scheme_id;

-- name: delete_scheme
delete from import_scheme where org_id = %(org_id)s and scheme_id = %(scheme_id)s returning scheme_id;

-- name: list_schemes
-- All of an organisation are a few; the one used or changed last first.
select scheme_id, kind, name, plan, updated_at from import_scheme
where org_id = %(org_id)s and (%(kind)s::text is null or kind = %(kind)s)
  and (%(scheme_id)s::bigint is null or scheme_id = %(scheme_id)s)
order by updated_at desc, scheme_id desc
limit 500;
