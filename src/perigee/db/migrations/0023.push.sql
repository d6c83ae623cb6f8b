-- What an application is reached with: keys of Firebase and Apple, sealed (product 11).

alter table app add column credentials bytea;
