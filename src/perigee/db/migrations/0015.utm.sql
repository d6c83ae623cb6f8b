-- UTM tags on links (TRACKING 9, product 6): what a message asks for, and what a send writes. A campaign's wishes are
-- among its options, the organisation's among its settings.

alter table message add column utm jsonb not null default '{}';
-- The tags of the send, percent-encoded and ready to be appended; null: its links get none.
alter table send add column utm text;
