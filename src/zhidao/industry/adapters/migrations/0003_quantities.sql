-- What captured events say of how much of a lot went in, out, to scrap or was counted, for mass
-- balance. Distribution key: the lot. Events from before have none here.
create table industry.epcis_quantity (
    lot text collate "C" not null,
    owner text collate "C" not null,
    name text collate "C" not null,
    unit text collate "C" not null,
    way text not null,
    at_ns bigint not null,
    quantity numeric not null,
    primary key (lot, owner, name, unit, way)
);
