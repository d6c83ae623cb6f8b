-- App Inbox, the applications of an organisation, and how long a Telegram user wants silence.

-- Who sends tokens names one of these: a mobile application, an App Inbox on a site, a Telegram bot.
create table app (
    org_id      bigint not null references organisation,
    app_id      uuid not null,
    kind        text not null check (kind in ('mobilepush','appinbox','telegram')),
    name        text not null,
    created_at  timestamptz not null default now(),
    primary key (org_id, app_id)
);

alter table push_token add column muted_until timestamptz;  -- no campaigns until then; null: never muted

-- What lies in people's inboxes. A message is there once, however often its sender tries.
create table inbox_message (
    org_id       bigint not null,
    send_id      bigint not null,
    ordinal      integer not null,
    contact_id   bigint not null,
    inbox_id     uuid not null,                 -- the message's fixed id, as the wire shows it
    title        text not null,
    content      text not null,
    image        text,
    link         text,
    category     text,
    custom_data  text,                          -- JSON text
    created_at   timestamptz not null default now(),
    expires_at   timestamptz not null,
    opened_at    timestamptz,
    primary key (org_id, contact_id, send_id, ordinal)  -- the one way in; an inbox is small enough to sort
);
create index inbox_message_expires on inbox_message (expires_at);

-- A signed-in person's chain of tokens. A token names its row and its number in the chain, and is signed; nothing of
-- it is stored.
create table inbox_session (
    org_id      bigint not null,
    contact_id  bigint not null,
    session_id  bigint not null,                -- 63 random bits
    generation  integer not null default 0,     -- the newest token's number in the chain
    expires_at  timestamptz not null,
    primary key (org_id, contact_id, session_id)
) with (fillfactor = 50);                       -- every request of a person changes the row in place
