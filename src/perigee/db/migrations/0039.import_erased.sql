-- People who were erased while an import waits or runs, as keyed hashes: a row of its file must not bring them back.
-- They are forgotten when the import ends.
alter table file_import add column erased bytea[] not null default '{}';
