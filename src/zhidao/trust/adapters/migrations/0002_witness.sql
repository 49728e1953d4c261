-- Witness and mirror. Distribution key: the log's origin, as for the log itself.

-- The keys that these heads were cosigned with: the state of other keys is never gone on from.
create table trust.witness_identity (
    witness text collate "C" not null,
    identity text not null,
    primary key (witness)
);

create table trust.witness_head (
    origin text collate "C" not null,
    size bigint not null,
    root bytea not null,
    at_s bigint not null,
    note bytea not null,
    primary key (origin)
);

-- The newest notes of a log with the cosignatures that they gathered.
create table trust.cosigned_checkpoint (
    origin text collate "C" not null,
    size bigint not null,
    note bytea not null,
    primary key (origin, size)
);
