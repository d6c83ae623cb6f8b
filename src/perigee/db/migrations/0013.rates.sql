-- Token buckets of the call limits, shared by all processes (contract section 5). Unlogged: after a crash every
-- bucket is simply full.

create unlogged table rate_bucket (
    org_id  bigint not null,
    name    text not null,
    tokens  double precision not null,
    granted integer not null,                -- what the last draw got
    at      timestamptz not null,
    primary key (org_id, name)
) with (fillfactor = 50);
