-- Planning a campaign (product 7). What was planned is among the campaign's options; what of it counts while sending is
-- frozen into the send.

alter table campaign drop constraint campaign_state_check;
alter table campaign add constraint campaign_state_check check (state in (
    'draft', 'awaiting_approval', 'scheduled', 'held', 'preparing', 'running', 'paused', 'stopped', 'finished', 'failed',
    'cancelled'));

-- Who asked for the launch, where another one has to approve it; the day from which everybody gets it at their own hour.
alter table campaign add column launched_by text, add column local_day date;

-- Allowed hours of the campaign itself.
alter table send add column hours jsonb;
-- What a message costs of a person's annoyance budget.
alter table send add column credits smallint not null default 0;

-- An experiment splits the ordinals of one send: each variant has a range of them, and a content of its own. Variant 0 is the
-- rest, which waits for the winner's content.
create table experiment (
    org_id bigint not null,
    send_id bigint not null,
    winner_by text not null check (winner_by in ('opens', 'clicks', 'conversions', 'hand')),
    event text,
    days smallint not null,
    decide_at timestamptz,
    decided_at timestamptz,
    winner smallint,
    primary key (org_id, send_id),
    foreign key (org_id, send_id) references send (org_id, send_id)
);
create index experiment_due on experiment (decide_at) where decided_at is null;

create table send_variant (
    org_id bigint not null,
    send_id bigint not null,
    variant smallint not null,
    name text not null,
    first_ordinal integer,
    last_ordinal integer,
    content_digest bytea,
    primary key (org_id, send_id, variant),
    foreign key (org_id, send_id) references send (org_id, send_id)
);
