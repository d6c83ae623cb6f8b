-- Messages sent by API calls: what the caller said of each recipient, kept beside the frozen send.

-- Whom the messages come from, as the default language version has it: "Name" <address>, or an alpha name.
alter table send add column sender text not null default '';

-- Content of sends, once for all sends of the same: a template that is sent a thousand times an hour is kept once.
create table send_content (
    org_id   bigint not null references organisation,
    digest   bytea not null,                    -- of the content
    content  jsonb not null,                    -- {"default": language, "versions": {lang: content}, …}
    primary key (org_id, digest)
);
insert into send_content (org_id, digest, content)
select distinct on (org_id, content) org_id, sha256(convert_to(content::text, 'UTF8')), content from send;
alter table send add column content_digest bytea;
update send set content_digest = sha256(convert_to(content::text, 'UTF8'));
alter table send alter column content_digest set not null, drop column content;

-- Targets of tracked links, by the number a link has in the content.
create table content_link (
    org_id    bigint not null,
    digest    bytea not null,
    language  text not null,
    link_no   smallint not null,
    url       text not null,
    primary key (org_id, digest, link_no)
);
insert into content_link (org_id, digest, language, link_no, url)
select distinct on (l.org_id, s.content_digest, l.link_no) l.org_id, s.content_digest, l.language, l.link_no, l.url
from send_link l join send s on s.org_id = l.org_id and s.send_id = l.send_id
order by l.org_id, s.content_digest, l.link_no;
drop table send_link;

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
from organisation o, unnest(array['viber', 'mobilepush', 'webpush', 'telegram']) as c (channel)
where not exists (select from provider p where p.org_id = o.org_id and p.channel = c.channel);
