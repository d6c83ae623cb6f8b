-- Double opt-in: when the owner of an address was last asked to confirm it, so that a form cannot be used to flood
-- somebody's mailbox. Kept with the address, and erased with it.
alter table address add column confirmation_asked_at timestamptz;

-- What was said on leaving is read newest first; the history of a person by contact.
create index consent_log_reasons on consent_log (org_id, log_id)
    where action = 'unsubscribed' and (reason is not null or detail ->> 'comment' is not null);
create index consent_log_contact on consent_log (org_id, contact_id) where contact_id is not null;
