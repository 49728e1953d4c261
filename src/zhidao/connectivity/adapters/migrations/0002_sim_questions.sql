-- Who asked about which SIM, newest first for whose it is; the signed fact of each stands in the
-- journal. And whose SIM a demonstration's number is.

create table connectivity.sim_question (
    id uuid not null primary key,
    owner text not null,
    phone text not null
);

create index sim_question_of_owner on connectivity.sim_question (owner, id desc);
create index sim_question_of_phone on connectivity.sim_question (phone, id desc);

alter table connectivity.scenario add column holder text not null default '';
