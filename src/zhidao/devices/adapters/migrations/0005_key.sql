-- One key is in one device, also where two are registered in the same instant. By its digest, since
-- a key may be longer than what an index takes. Of terminals that shared a key before there was this
-- table the first by name keeps it; they stay registered.

create table devices.terminal_key (
    digest bytea not null primary key,
    terminal text not null
);

insert into devices.terminal_key (digest, terminal)
select sha256(convert_to(key, 'UTF8')), min(terminal)
from devices.terminal where key <> '' group by key;
