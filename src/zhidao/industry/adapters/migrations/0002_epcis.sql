-- Captured EPCIS events, each once a party, and the things that they name. Distribution keys: the
-- event's hash, and the thing. Times are TAI nanoseconds. An error declaration bears the name of the
-- event that it withdraws with a dash behind it.
create table industry.epcis_event (
    name text collate "C" not null,
    owner text collate "C" not null,
    visible text[] not null,
    job text not null,
    captured_ns bigint not null,
    at_ns bigint not null,
    kind text not null,
    action text not null,
    biz_step text not null,
    disposition text not null,
    read_point text not null,
    biz_location text not null,
    transformation text not null,
    event_id text not null,
    event bytea not null,
    primary key (name, owner)
);

create index epcis_event_at on industry.epcis_event (at_ns, name, owner);
create index epcis_event_captured on industry.epcis_event (captured_ns, name, owner);

create table industry.epcis_thing (
    thing text collate "C" not null,
    role text not null,
    name text collate "C" not null,
    owner text collate "C" not null,
    primary key (thing, role, name, owner)
);
