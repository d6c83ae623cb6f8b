-- Reads that stay fast at millions of contacts (contract 11.1, 13.2): counts kept as they change, names indexed, and
-- marks that let a page by number begin at a key.

-- Changes of the number of living contacts; their sum is the number. Rows are only ever inserted, so that writers do
-- not wait for each other, and folded into one now and then.
create table contact_tally (
    org_id  bigint not null,
    delta   bigint not null
);
create index contact_tally_org on contact_tally (org_id);
insert into contact_tally select org_id, count(*) from contact where deleted_at is null group by org_id;

create function tally_added_contacts() returns trigger language plpgsql as $$
begin
    insert into contact_tally
    select org_id, count(*) from added where deleted_at is null group by org_id;
    return null;
end $$;
create function tally_removed_contacts() returns trigger language plpgsql as $$
begin
    insert into contact_tally
    select org_id, -count(*) from removed where deleted_at is null group by org_id;
    return null;
end $$;
create function tally_changed_contact() returns trigger language plpgsql as $$
begin
    insert into contact_tally values (new.org_id, case when new.deleted_at is null then 1 else -1 end);
    return null;
end $$;
create trigger tally_added after insert on contact
    referencing new table as added for each statement execute function tally_added_contacts();
create trigger tally_removed after delete on contact
    referencing old table as removed for each statement execute function tally_removed_contacts();
create trigger tally_changed after update of deleted_at on contact
    for each row when ((old.deleted_at is null) <> (new.deleted_at is null)) execute function tally_changed_contact();

-- The same for the rows of lists, whether the contact lives or not.
create table member_tally (
    org_id      bigint not null,
    segment_id  bigint not null,
    delta       bigint not null
);
create index member_tally_segment on member_tally (org_id, segment_id);
insert into member_tally select org_id, segment_id, count(*) from segment_member group by org_id, segment_id;

create function tally_added_members() returns trigger language plpgsql as $$
begin
    insert into member_tally select org_id, segment_id, count(*) from added group by org_id, segment_id;
    return null;
end $$;
create function tally_removed_members() returns trigger language plpgsql as $$
begin
    insert into member_tally select org_id, segment_id, -count(*) from removed group by org_id, segment_id;
    return null;
end $$;
create trigger tally_added after insert on segment_member
    referencing new table as added for each statement execute function tally_added_members();
create trigger tally_removed after delete on segment_member
    referencing old table as removed for each statement execute function tally_removed_members();

-- Those few members of a list who do not count.
create index contact_deleted on contact (org_id, contact_id) where deleted_at is not null;

-- For `starts_with` (contract 11.1, names by their beginning); the name itself lets hits be counted in the index alone.
create index contact_first_name on contact (org_id, lower(first_name) collate "C") include (first_name) where deleted_at is null and first_name is not null;
create index contact_last_name on contact (org_id, lower(last_name) collate "C") include (last_name) where deleted_at is null and last_name is not null;

-- Where the pages of a listing begin: `position` rows come before the key. Unlogged: they are hints.
create unlogged table page_mark (
    org_id    bigint not null,
    listing   text not null,
    position  bigint not null,
    key_time  timestamptz,
    key_id    bigint not null,
    total     bigint,
    at        timestamptz not null default now(),
    primary key (org_id, listing, position)
);
