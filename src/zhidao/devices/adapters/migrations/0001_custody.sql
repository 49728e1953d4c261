-- Custody of what terminals send. Distribution key: the terminal, first in every primary key,
-- except where a lookup starts elsewhere (number, digest of a window, consignment).

create table devices.secret (
    name text not null primary key,
    value bytea not null
);

create table devices.terminal (
    terminal text not null primary key,
    phone text not null,
    number text not null,
    key text not null,
    owner text not null,
    visible text[] not null
);

-- A table of its own, so that the number is unique wherever the terminal's row lies.
create table devices.terminal_number (
    number text not null primary key,
    terminal text not null
);

create table devices.frame (
    terminal text not null,
    digest bytea not null,
    id uuid not null,
    received_tai_ns bigint not null,
    message integer not null,
    serial integer not null,
    plain bytea not null,
    batch uuid,
    primary key (terminal, digest)
);

-- 512 and 1796 are the position report and the batch of reports.
create index frame_position on devices.frame (terminal, id) where message in (512, 1796);
create index frame_unbatched on devices.frame (terminal, id)
    where batch is null and message in (512, 1796);

create table devices.suspect (
    terminal text not null,
    id uuid not null,
    received_tai_ns bigint not null,
    reason text not null,
    raw bytea not null,
    primary key (terminal, id)
);

create table devices.nonce (
    terminal text not null,
    nonce bytea not null,
    expires_tai_ns bigint not null,
    window_id bytea not null,
    total integer not null,
    simulated boolean not null,
    settled boolean not null,
    primary key (terminal, nonce)
);

create index nonce_open on devices.nonce (terminal) where window_id <> '' and not settled;

create table devices.chunk (
    terminal text not null,
    window_id bytea not null,
    sequence integer not null,
    content bytea not null,
    primary key (terminal, window_id, sequence)
);

create table devices.window_digest (
    digest text not null,
    terminal text not null,
    window_id bytea not null,
    nonce bytea not null,
    key text not null,
    simulated boolean not null,
    received_tai_ns bigint not null,
    primary key (digest, terminal, window_id)
);

create table devices.seal (
    consignment text not null,
    terminal text not null,
    seal text not null,
    primary key (consignment, terminal, seal)
);
