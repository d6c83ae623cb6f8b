alter table segment add column tags text[] not null default '{}';
