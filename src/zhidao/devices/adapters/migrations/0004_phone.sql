-- One card is in one device, also where two are registered in the same instant. A table of its own,
-- so that the phone number is unique wherever the terminal's row lies. Of terminals that shared a
-- number before there was this table the first by name keeps it; they stay registered.

create table devices.terminal_phone (
    phone text not null primary key,
    terminal text not null
);

insert into devices.terminal_phone (phone, terminal)
select phone, min(terminal) from devices.terminal group by phone;
