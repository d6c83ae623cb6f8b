-- Where contacts stand in the RFM grids (product 9): `sales` counts delivered orders, `mail` opened messages. A row is
-- there for everybody who has at least one; it is kept by the statement that changes the facts, and moved on by a timer
-- at the organisation's midnight.

create table contact_rfm (
    org_id      bigint not null,
    grid        text not null check (grid in ('mail', 'sales')),
    contact_id  bigint not null,
    recency     smallint not null,              -- column, 1 is the latest (rfm/cells.py)
    frequency   smallint not null,              -- row, 1 is once
    times       integer not null,               -- orders, or messages opened
    last_at     timestamptz not null,
    total       numeric(18,4) not null default 0,  -- of the orders, in the organisation's currency
    since       timestamptz not null,           -- in this cell
    primary key (org_id, grid, contact_id)
) with (fillfactor = 80);
create index contact_rfm_cell on contact_rfm (org_id, grid, recency, frequency, contact_id);
create index contact_rfm_last on contact_rfm (org_id, grid, recency, last_at);

create table rfm_grid (
    org_id   bigint not null references organisation,
    grid     text not null check (grid in ('mail', 'sales')),
    day      date not null,                     -- the columns are those of this day in the organisation's zone
    raise    boolean not null default false,    -- an event for each contact that moves
    moves    jsonb not null default '[]',       -- only for these moves; empty: for all
    seen_at  timestamptz not null default '2000-01-01 00:00+00',  -- mail: what was opened up to here is counted
    seen_id  bigint not null default 0,
    primary key (org_id, grid)
);

-- Only from one cell to another; when somebody came in stands in contact_rfm.
create table rfm_move (
    org_id          bigint not null,
    move_id         bigint generated always as identity,
    grid            text not null,
    at              timestamptz not null,
    contact_id      bigint not null,
    from_recency    smallint not null,
    from_frequency  smallint not null,
    to_recency      smallint not null,
    to_frequency    smallint not null,
    primary key (org_id, move_id)
);
create index rfm_move_contact on rfm_move (org_id, contact_id);
create index rfm_move_at on rfm_move using brin (at);
