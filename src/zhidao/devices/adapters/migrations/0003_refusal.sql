-- The newest refusal of each terminal, so that a list of terminals need not read their histories.
create table devices.refusal (
    terminal text not null primary key,
    reason text not null,
    sentence text not null,
    at_tai_ns bigint not null
);
