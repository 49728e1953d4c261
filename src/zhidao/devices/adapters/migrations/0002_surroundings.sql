-- The class of what stands around a terminal's antenna. Whoever registered before was not asked,
-- so it is the class of which least is known.
alter table devices.terminal add column surroundings text not null default 'vehicle';

-- The window of a terminal that came before another.
create index window_received on devices.window_digest (terminal, received_tai_ns);
