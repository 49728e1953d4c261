-- The transparency log. Distribution key: the log's origin (one log is written by one writer).

create table trust.log_head (
    origin text collate "C" not null,
    size bigint not null,
    edge bytea not null,
    epoch bigint not null,
    primary key (origin)
);

create table trust.log_leaf (
    origin text collate "C" not null,
    leaf_index bigint not null,
    entry bytea not null,
    primary key (origin, leaf_index)
);

-- Hashes of a tile so far, one after another: at most 256 of 32 bytes.
create table trust.log_tile (
    origin text collate "C" not null,
    level smallint not null,
    tile bigint not null,
    hashes bytea not null,
    primary key (origin, level, tile)
);

create table trust.log_checkpoint (
    origin text collate "C" not null,
    size bigint not null,
    note bytea not null,
    primary key (origin, size)
);
