-- The journal of one room: applied once per room, with {room} replaced by the room's schema.
-- Distribution keys: aggregate for events and outbox, the event's identifier for the inbox.

create schema if not exists {room};

create table {room}.event (
    aggregate text collate "C" not null,
    version bigint not null check (version > 0),
    id uuid not null,
    type text not null,
    owner text not null,
    visible text[] not null,
    salt bytea not null,
    event bytea not null,
    primary key (aggregate, version)
);

create table {room}.outbox (
    aggregate text collate "C" not null,
    event_id uuid not null,
    version bigint not null,
    leaf bytea not null,
    leaf_index bigint,
    published boolean not null default false,
    primary key (aggregate, event_id)
);

create index outbox_event on {room}.outbox (event_id);
create index outbox_pending on {room}.outbox (event_id) where leaf_index is null;
create index outbox_unpublished on {room}.outbox (leaf_index)
    where leaf_index is not null and not published;

create table {room}.inbox (
    event_id uuid not null,
    consumer text not null,
    primary key (event_id, consumer)
);
