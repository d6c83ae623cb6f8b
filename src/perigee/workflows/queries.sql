-- name: insert_workflow
insert into workflow (org_id, name, status, tags)
values (%(org_id)s, %(name)s, %(status)s, %(tags)s)
returning workflow_id, name, status, tags, created_at, updated_at;

-- name: list_workflows
-- By id, behind `after`; `part` is a part of the name, without regard to case.
select workflow_id, name, status, tags, created_at, updated_at
from workflow
where org_id = %(org_id)s and workflow_id > %(after)s
  and (%(part)s::text is null or position(lower(%(part)s) in lower(name)) > 0)
order by workflow_id offset %(skip)s limit %(rows)s;
