-- What the reads of activity and history need, at the least cost for the writers (docs/explanation/delivery.md).

-- The rule as before, led by the address: "what was sent to this address" is now a look-up, and a message has no more
-- index entries than before. Partial, so that no look-up by another key can take it (db/plans.py); nulls never were equal.
alter table delivery drop constraint delivery_org_id_send_started_at_send_id_address_key;
create unique index delivery_address_once on delivery (org_id, address, send_started_at, send_id)
    where address is not null;

-- One status in the order of time. Deliveries, which are most rows and the ones that campaigns write, stay out of it:
-- they are found by reading the primary key forward.
create index activity_status on activity (org_id, status, at, activity_id)
    where status in ('UNDELIVERED', 'READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM', 'SUBSCRIPTION_CHANGED');

-- Sends of a period, for the daily figures and for tags. Partial, so that no look-up by the key can take it: only who asks
-- for a time as it does.
create index send_started on send (org_id, started_at) where started_at > '2000-01-01 00:00+00';
