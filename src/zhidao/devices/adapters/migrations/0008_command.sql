-- Commands to terminals: what was asked, by whom, until when it may be sent, and what came of it.
-- asked and answer: JSON. serial and result are -1 before they are known, times 0.
create table devices.command (
    terminal text not null,
    id uuid not null,
    kind text not null,
    asked text not null,
    by text not null,
    asked_tai_ns bigint not null,
    expires_tai_ns bigint not null,
    state text not null,
    serial integer not null,
    sent_tai_ns bigint not null,
    ended_tai_ns bigint not null,
    result integer not null,
    answer text not null,
    primary key (terminal, id)
);

create index command_open on devices.command (terminal, id) where state in ('queued', 'sent');
