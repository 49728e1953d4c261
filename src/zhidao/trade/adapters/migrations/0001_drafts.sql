-- Entries that somebody has begun. Distribution key: the owner. Nothing signed hangs on a draft.

create table trade.draft (
    owner text collate "C" not null,
    name text collate "C" not null,
    fields bytea not null,
    saved_ns bigint not null,
    primary key (owner, name)
);
