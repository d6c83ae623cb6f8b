-- Imports of files: the file in pieces until the import is over, how far it has come, what is to be said about its
-- rows, and saved meanings of columns.
create table file_import (
    org_id       bigint not null references organisation,
    import_id    bigint generated always as identity (start with 1000),
    kind         text not null,
    name         text not null,
    status       text not null default 'uploading'
                 check (status in ('uploading', 'ready', 'queued', 'running', 'finished', 'cancelled', 'failed')),
    size         bigint not null default 0,
    found        jsonb,
    plan         jsonb,
    total        bigint not null default 0,
    done         bigint not null default 0,
    created      bigint not null default 0,
    updated      bigint not null default 0,
    duplicates   bigint not null default 0,
    skipped      bigint not null default 0,
    errors       bigint not null default 0,
    warnings     bigint not null default 0,
    reason       text,
    created_at   timestamptz not null default now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    touched_at   timestamptz not null default now(),
    primary key (org_id, import_id)
);

create table import_chunk (
    org_id     bigint not null,
    import_id  bigint not null,
    n          integer not null,
    data       bytea not null,
    primary key (org_id, import_id, n),
    foreign key (org_id, import_id) references file_import on delete cascade
);
alter table import_chunk alter column data set storage external;

-- What each step touched, while the import runs.
create table import_step (
    org_id     bigint not null,
    import_id  bigint not null,
    position   bigint not null,
    ids        bigint[] not null,
    primary key (org_id, import_id, position),
    foreign key (org_id, import_id) references file_import on delete cascade
);

create table import_remark (
    org_id     bigint not null,
    import_id  bigint not null,
    remark_id  bigint generated always as identity,
    line       bigint not null,
    level      text not null,
    heading    text,
    value      text,
    rule       text not null,
    subject    bigint,
    primary key (org_id, import_id, remark_id),
    foreign key (org_id, import_id) references file_import on delete cascade
);
create index import_remark_subject on import_remark (org_id, subject) where subject is not null;

create table import_scheme (
    org_id      bigint not null references organisation,
    scheme_id   bigint generated always as identity (start with 1000),
    kind        text not null,
    name        text not null,
    plan        jsonb not null,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (org_id, scheme_id),
    unique (org_id, kind, name)
);
