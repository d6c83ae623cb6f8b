-- Sending well: whose turn it is, how fast, and what receivers made of it.

-- When a batch of a campaign was last taken: the one that waited longest is next.
alter table send add column claimed_at timestamptz;
create index send_turn on send (org_id, claimed_at, send_id) where state = 'running' and kind = 'campaign';

-- Which commit of a batch a window is: a worker that lost the answer to its commit can ask whether it was written.
alter table send_batch add column windows integer not null default 0;

drop index send_batch_due;
create index send_batch_turn on send_batch (org_id, send_id, due_at, batch_no) where done_at is null;
create index send_batch_lane on send_batch (lane, org_id, due_at) where done_at is null and lane = 0;
update send_batch b set lane = 1 from send s
where s.org_id = b.org_id and s.send_id = b.send_id and s.kind = 'campaign' and b.lane = 0 and b.done_at is null;

-- Which provider carried a message.
alter table delivery add column provider_id bigint;

-- Providers of one priority share the work by weight. `limits`: {"second": n, "minute": n, "hour": n, "day": n}.
alter table provider add column weight integer not null default 1, add column limits jsonb not null default '{}';

-- Token buckets of sending, shared by all processes: one row per limit of a provider, and per destination of a provider.
create table pace (
    org_id          bigint not null,
    name            text not null,
    tokens          double precision not null,
    at              timestamptz not null,
    promised_until  timestamptz,            -- up to here the coming tokens are promised to messages that wait
    day             date,                   -- of limits by the day: what was used of it
    used            integer not null default 0,
    primary key (org_id, name)
) with (fillfactor = 50);

-- What a person says of a destination (an operator of mailboxes, by the name of its first domain), through any provider.
create table destination (
    org_id      bigint not null references organisation,
    name        text not null,
    per_second  double precision,
    primary key (org_id, name)
);

-- What replies said of it. `rate` is what was left after the last halving, `full_rate` where it ends.
create table destination_state (
    org_id         bigint not null references organisation,
    provider_id    bigint not null,
    name           text not null,
    rate           double precision,
    full_rate      double precision,
    changed_at     timestamptz not null default now(),
    stopped_until  timestamptz,             -- 'infinity': until a person lifts it
    reason         text not null default '',
    primary key (org_id, provider_id, name)
);
