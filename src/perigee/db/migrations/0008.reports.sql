-- What the reads of activity and history need, at the least cost for the writers (docs/explanation/delivery.md).

-- The constraint as before, led by the address: "what was sent to this address" is now a look-up, and the campaign path
-- keeps its number of index entries.
alter table delivery drop constraint delivery_org_id_send_started_at_send_id_address_key;
alter table delivery add constraint delivery_address_once unique (org_id, address, send_started_at, send_id);

-- One status in the order of time. Deliveries, which are most rows and the ones that campaigns write, stay out of it:
-- they are found by reading the primary key forward.
create index activity_status on activity (org_id, status, at, activity_id)
    where status in ('UNDELIVERED', 'READ', 'CLICKED', 'UNSUBSCRIBED', 'SPAM', 'SUBSCRIPTION_CHANGED');

-- Sends of a period, for the daily figures and for tags.
create index send_started on send (org_id, started_at);
