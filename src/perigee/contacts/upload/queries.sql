-- name: insert_import
insert into contact_import (org_id, session_id, source, options, total)
values (%(org_id)s, %(session_id)s, 'file', %(options)s::jsonb, 0);

-- name: insert_upload
insert into contact_upload (org_id, session_id, link) values (%(org_id)s, %(session_id)s, %(link)s)
returning file_id;

-- name: begin_upload
-- Says that the import is being applied, unless it is through already; all that is needed to do so.
with begun as (
    update contact_import set status = 'IMPORTING', updated_at = now()
    where org_id = %(org_id)s and session_id = %(session_id)s and status in ('STARTED', 'IMPORTING')
    returning session_id, options
)
select u.link, b.options
from contact_upload u join begun b on b.session_id = u.session_id
where u.org_id = %(org_id)s;

-- name: field_ids
select g.key || '.' || f.key, f.field_id
from field f join field_group g on g.org_id = f.org_id and g.group_id = f.group_id
where f.org_id = %(org_id)s
order by f.group_id, f.position, f.field_id;

-- name: lock_upload
-- Every transaction that moves a file on locks this row first, so that two workers take turns.
select session_id from contact_import
where org_id = %(org_id)s and session_id = %(session_id)s and status = 'IMPORTING'
for update;

-- name: resume
-- Where to go on; from the start when this is another file than the one of the last try.
update contact_upload
set digest = %(digest)s, ignored = %(ignored)s,
    position = case when digest = %(digest)s then position else 0 end
where org_id = %(org_id)s and session_id = %(session_id)s
returning position;

-- name: set_total
update contact_import set total = %(total)s, updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: forget_other_file
-- What was counted and noted of the rows of another file.
with steps as (
    delete from contact_upload_step where org_id = %(org_id)s and session_id = %(session_id)s
), counts as (
    update contact_upload set refused = 0, lost = 0 where org_id = %(org_id)s and session_id = %(session_id)s
)
update contact_import set created = 0, updated = 0, skipped = 0, failures = '[]'
where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: is_next_step
select exists (
    select from contact_upload
    where org_id = %(org_id)s and session_id = %(session_id)s and position = %(position)s and digest = %(digest)s
);

-- name: finish_step
with progress as (
    update contact_upload
    set position = position + %(length)s, refused = refused + %(refused)s, lost = lost + %(lost)s
    where org_id = %(org_id)s and session_id = %(session_id)s
), step as (
    insert into contact_upload_step (org_id, session_id, position, contact_ids)
    values (%(org_id)s, %(session_id)s, %(position)s,
            string_to_array(%(contact_ids)s, E'\x1f', E'\x1e')::bigint[])
)
update contact_import
set created = created + %(created)s, updated = updated + %(updated)s, skipped = skipped + %(skipped)s,
    failures = case when jsonb_array_length(failures) < %(most)s then failures || %(failures)s::jsonb else failures end,
    updated_at = now()
where org_id = %(org_id)s and session_id = %(session_id)s;

-- name: end_upload
-- Only an import that is not over yet ends. The link is forgotten.
with ended as (
    update contact_import set status = %(status)s, description = %(description)s, updated_at = now()
    where org_id = %(org_id)s and session_id = %(session_id)s and status in ('STARTED', 'IMPORTING')
    returning session_id
)
update contact_upload u set link = null from ended e
where u.org_id = %(org_id)s and u.session_id = e.session_id;

-- name: upload_counts
select i.created, i.updated, i.skipped, u.refused, u.lost, u.ignored, i.options ->> 'dedupe_on'
from contact_upload u join contact_import i on i.org_id = u.org_id and i.session_id = u.session_id
where u.org_id = %(org_id)s and u.session_id = %(session_id)s;

-- name: upload_contacts
-- In the order of the file, as they are now; who was erased since is missing.
select c.contact_id, c.email, c.phone, c.external_id
from contact_upload_step s
cross join lateral unnest(s.contact_ids) with ordinality as one (contact_id, place)
join contact c on c.org_id = %(org_id)s and c.contact_id = one.contact_id
where s.org_id = %(org_id)s and s.session_id = %(session_id)s
order by s.position, one.place
limit %(most)s;
