-- Cells that terminals told of themselves (distribution key: the terminal), for a month.

create table connectivity.reported_cell (
    terminal text not null,
    unix_s bigint not null,
    mcc smallint not null,
    mnc smallint not null,
    area integer not null,
    identity bigint not null,
    primary key (terminal, unix_s)
);
