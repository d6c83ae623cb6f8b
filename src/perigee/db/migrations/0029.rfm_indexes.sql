-- Partial, so that a look-up by the whole key never takes them (db/plans.py).

drop index contact_rfm_cell;
drop index contact_rfm_last;
create index contact_rfm_cell on contact_rfm (org_id, grid, recency, frequency, contact_id) where frequency > 0;
create index contact_rfm_last on contact_rfm (org_id, grid, recency, last_at) where recency > 0;
