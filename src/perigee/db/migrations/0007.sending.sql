-- Messages sent by API calls: what the caller said of each recipient, kept beside the frozen send.

-- Whom the messages come from, as the default language version has it: "Name" <address>, or an alpha name.
alter table send add column sender text not null default '';

-- Only where there is something to keep. The data make the message and its web version; erasing a person removes them.
create table send_recipient (
    org_id               bigint not null,
    send_id              bigint not null,
    ordinal              integer not null,
    contact_id           bigint not null,
    external_request_id  text,
    language             text,                  -- asked for by the caller; goes before the contact's own
    data                 jsonb,                 -- the caller's jsonParam or params
    primary key (org_id, send_id, ordinal)
);
create index send_recipient_contact on send_recipient (org_id, contact_id);

-- They came with the batches before.
alter table send_batch drop column params;
alter table send_retry drop column params;

-- The sandbox carries every channel, also for organisations that are there already.
insert into provider (org_id, channel, kind, name, priority)
select o.org_id, c.channel, 'sandbox', 'Sandbox', 1000
from organisation o, unnest(array['viber', 'mobilepush', 'appinbox', 'telegram']) as c (channel)
where not exists (select from provider p where p.org_id = o.org_id and p.channel = c.channel);
