-- How a terminal stands: whether a registration is answered, and by which token it comes in. token:
-- SHA-256 of the token that it was given last. Terminals from before hold a token that is made of
-- the node's secret (derived): they are enrolled, and need no other until they are invited again.
create table devices.enrolment (
    terminal text not null primary key,
    state text not null,
    version integer not null,
    until_tai_ns bigint not null,
    token bytea not null,
    given boolean not null,
    derived boolean not null,
    imei text not null,
    protocol text not null
);

insert into devices.enrolment (terminal, state, version, until_tai_ns, token, given, derived, imei,
    protocol)
select terminal, 'enrolled', 0, 0, '', false, true, '', 'jt808' from devices.terminal;
