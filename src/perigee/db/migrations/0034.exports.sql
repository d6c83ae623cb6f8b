-- Exports (product 3): what was asked for, who is in it, and the file in pieces, until it is fetched or forgotten.

create table export (
    org_id       bigint not null references organisation,
    export_id    bigint generated always as identity,
    kind         text not null,
    request      jsonb not null,                   -- exports/types.py, ExportCreate
    state        text not null default 'waiting'
                 check (state in ('waiting', 'running', 'done', 'failed', 'cancelled', 'erased')),
    total        bigint,                           -- rows it will have, where that is known beforehand
    done         bigint not null default 0,
    pieces       integer not null default 0,
    place        jsonb,                            -- the row that the next page begins behind
    bytes        bigint not null default 0,
    attached     bigint not null default 0,        -- people new in the lists
    lists        bigint[] not null default '{}',   -- that its people join
    error        text,
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    moved_at     timestamptz,                      -- the last page
    finished_at  timestamptz,
    primary key (org_id, export_id)
);

create table export_person (
    org_id      bigint not null,
    export_id   bigint not null,
    contact_id  bigint not null,
    primary key (org_id, export_id, contact_id)
);
create index export_person_contact on export_person (org_id, contact_id);

create table export_piece (
    org_id     bigint not null,
    export_id  bigint not null,
    number     integer not null,
    content    bytea not null,
    primary key (org_id, export_id, number)
);
