-- Why a contact was deleted softly, for people to read.
alter table contact add column delete_reason text;
