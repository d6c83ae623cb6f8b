-- The organisation's site and its web-push domains.

create table site_domain (
    org_id      bigint primary key references organisation,
    domain      text not null,
    site_id     text not null unique,
    created_at  timestamptz not null default now()
);

create table webpush_domain (
    org_id                bigint not null references organisation,
    domain                text not null,        -- with its scheme
    service_worker_name   text not null,
    service_worker_path   text not null,
    service_worker_scope  text not null,
    created_at            timestamptz not null default now(),
    primary key (org_id, domain)
);
