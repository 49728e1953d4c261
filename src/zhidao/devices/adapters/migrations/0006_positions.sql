-- Positions as numbers, decoded once, in a partition for each day of receipt (store.families.partitions makes
-- them ahead). Distribution key: the terminal's number, from its name: the first 63 bits of its
-- SHA-256. report: the random bits of the frame's identifier, from which those in one frame count up.
-- altitude_m, speed_tenth_kmh and course_deg are the 16 bits that came; marks: satellites in the
-- eight low bits, then BeiDou, GCJ-02, and from the eleventh on why it is no place (domain.track).
create table devices.position (
    terminal_id bigint not null,
    observed_tai_ns bigint not null,
    report bigint not null,
    received_tai_ns bigint not null,
    cell bigint not null,
    latitude_udeg integer not null,
    longitude_udeg integer not null,
    altitude_m smallint not null,
    speed_tenth_kmh smallint not null,
    course_deg smallint not null,
    marks smallint not null,
    primary key (terminal_id, observed_tai_ns, report, received_tai_ns)
) partition by range (received_tai_ns);

create index position_cell on devices.position (cell);

-- The newest of each terminal by its own time, and when it was heard last.
create table devices.position_latest (
    terminal_id bigint not null,
    observed_tai_ns bigint not null,
    report bigint not null,
    received_tai_ns bigint not null,
    cell bigint not null,
    latitude_udeg integer not null,
    longitude_udeg integer not null,
    altitude_m smallint not null,
    speed_tenth_kmh smallint not null,
    course_deg smallint not null,
    marks smallint not null,
    heard_tai_ns bigint not null,
    primary key (terminal_id)
) with (fillfactor = 70);

-- A table of its own, so that the number is unique wherever the terminal's row lies.
create table devices.terminal_id (
    terminal_id bigint not null,
    terminal text not null,
    primary key (terminal_id)
);

insert into devices.terminal_id (terminal_id, terminal)
select (('x' || encode(substr(sha256(convert_to(terminal, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
    >> 1) & 9223372036854775807, terminal
from devices.terminal;

-- How far the frames from before are read; done from the start where there are none.
create table devices.position_fill (
    part text not null,
    terminal text not null,
    frame uuid not null,
    done boolean not null,
    primary key (part)
);

insert into devices.position_fill (part, terminal, frame, done)
select 'frames', '', '00000000-0000-0000-0000-000000000000',
    not exists (select 1 from devices.frame where message in (512, 1796));
