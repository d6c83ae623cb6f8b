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
