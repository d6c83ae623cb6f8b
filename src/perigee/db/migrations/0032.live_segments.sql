-- Who is in the dynamic segments, kept up to date behind every change (segments/live).

-- What the live segments of an organisation look at: bits of segments/kinds.py. Who changes anything reads this row and
-- writes to the queue only what somebody looks at.
create table segment_watch (
    org_id      bigint not null references organisation,
    kinds       bigint not null,
    version     bigint not null default 0,      -- of all its rules together
    checked_at  timestamptz not null default '2000-01-01 00:00+00',  -- what rules name was looked at
    blocks_at   timestamptz not null default now(),  -- addresses whose block ended up to here are done
    drained_at  timestamptz,                    -- nothing that was changed up to here is missing
    primary key (org_id)
) with (fillfactor = 50);

create table segment_state (
    org_id        bigint not null,
    segment_id    bigint not null,
    status        text not null default 'building'
                  check (status in ('building', 'settling', 'ready', 'failed', 'too_expensive', 'dropped')),
    kinds         bigint not null default 0,
    shape         text not null default '',      -- digest of the rule with all that it names
    count         bigint not null default 0,
    evaluated_at  timestamptz,
    took_ms       bigint,
    due_at        timestamptz,                   -- when it is to be worked out as a whole
    horizon       xid8,                          -- transactions from here on tell of their changes
    error         text,
    primary key (org_id, segment_id)
) with (fillfactor = 50);
create index segment_state_due on segment_state (due_at) where due_at is not null;

create table segment_live (
    org_id      bigint not null,
    segment_id  bigint not null,
    contact_id  bigint not null,
    since       timestamptz not null,
    primary key (org_id, segment_id, contact_id)
);
create index segment_live_contact on segment_live (org_id, contact_id);

-- Who came into a segment and who left it, in the order in which it happened: one writer for an organisation at a time.
create table segment_change (
    org_id      bigint not null,
    change_id   bigint generated always as identity,
    segment_id  bigint not null,
    contact_id  bigint not null,
    joined      boolean not null,
    at          timestamptz not null,
    primary key (org_id, change_id)
);
create index segment_change_contact on segment_change (org_id, contact_id);
create index segment_change_at on segment_change using brin (at);

create table segment_growth (
    org_id      bigint not null,
    segment_id  bigint not null,
    day         date not null,                   -- of the organisation's zone
    count       bigint not null,                 -- at its end, or by now
    joined      bigint not null,
    "left"      bigint not null,
    primary key (org_id, segment_id, day)
);

-- Contacts of whom something changed. Only added to, and taken away by who has worked them in. Lane 1 is what senders
-- write, which must not hold up the rest.
create table segment_dirty (
    org_id      bigint not null,
    lane        smallint not null default 0,
    entry_id    bigint generated always as identity,
    contact_id  bigint not null,
    kinds       bigint not null,
    primary key (org_id, lane, entry_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_insert_threshold = -1);

create index address_blocked on address (org_id, blocked_until) where blocked_until is not null;

-- Segments from before are worked out by the first worker.
insert into segment_watch (org_id, kinds) select distinct org_id, (1::bigint << 60) - 1 from segment where kind = 'dynamic';
insert into segment_state (org_id, segment_id, kinds, due_at)
select org_id, segment_id, (1::bigint << 60) - 1, now() from segment where kind = 'dynamic';
