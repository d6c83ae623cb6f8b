-- People erased a moment ago, by number: senders that had them in hand may still write their outcome.

create table erased_contact (
    org_id     bigint not null,
    contact_id bigint not null,
    erased_at  timestamptz not null default now(),
    primary key (org_id, contact_id)
);

-- Whether the words of a message that was written for one person are anybody else's.
create index send_own_words on send (org_id, content_digest) where message_id is null;
