-- Observations of terminals, each once whatever its bearer (distribution key: the terminal), short
-- messages seen (the card), and what a demonstration's network knows (the phone number).

create table connectivity.observation (
    terminal text not null,
    digest text not null,
    unix_s bigint not null,
    latitude_e5 integer not null,
    longitude_e5 integer not null,
    bearers text[] not null,
    primary key (terminal, digest)
);

create table connectivity.message (
    card text not null,
    digest bytea not null,
    primary key (card, digest)
);

create table connectivity.scenario (
    phone text not null primary key,
    applicable boolean not null,
    readers text[] not null,
    sightings jsonb not null
);
