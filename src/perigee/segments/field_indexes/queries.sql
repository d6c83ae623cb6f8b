-- name: large_organisations
-- across organisations: housekeeping. Those with dynamic segments and at least so many living contacts.
select t.org_id
from contact_tally t
where exists (select from segment s where s.org_id = t.org_id and s.kind = 'dynamic')
group by t.org_id
having sum(t.delta) >= %(contacts)s
order by t.org_id;

-- name: standing_indexes
-- across organisations: what the catalogue knows, of whomever.
select c.relname::text, i.indisvalid, obj_description(c.oid, 'pg_class')
from pg_index i
join pg_class c on c.oid = i.indexrelid
where i.indrelid = 'contact'::regclass and c.relname ~ '^contact_field_[0-9]+_[0-9]+_[0-9a-f]{8}$'
order by c.relname;
