-- When a message was first handed to a channel: patience counts from then, not from the start of its send, which may be
-- days before its turn. Null: not yet.
alter table send_retry add column first_at timestamptz;
alter table send_batch add column first_at timestamptz;
