-- How far mirrors have this node's logs. Distribution key: the log's origin.

create table trust.mirror_push (
    origin text collate "C" not null,
    url text collate "C" not null,
    leaves bigint not null,
    cosigned bigint not null,
    at_s bigint not null,
    lines bytea not null,
    primary key (origin, url)
);
