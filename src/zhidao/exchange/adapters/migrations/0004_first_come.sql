-- Which ids a peer brought, and with which admission: the first that brings one keeps it. What
-- stands already came in the order in which the log has the admissions.
alter table exchange.peer add column ids text[] not null default '{}';
alter table exchange.peer add column ids_since bigint[] not null default '{}';
-- The peer's own list as it last told it: which ids it means others by.
alter table exchange.peer add column said bytea not null default '';

update exchange.peer as p set ids = array[p.node], ids_since = array[came.number]
from (
    select q.node, row_number() over (
        order by
            (
                select min(e.id::text collate "C") from exchange.event as e
                where e.aggregate = 'peer/' || q.node
            ), q.node
    ) as number
    from exchange.peer as q
) as came
where came.node = p.node;
