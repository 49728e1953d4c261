-- What people chose of how pages look: a row a person, and one a table that stands otherwise.
CREATE TABLE node.preference (
    person text NOT NULL,
    language text NOT NULL,
    theme text NOT NULL,
    times text NOT NULL,
    borders text NOT NULL,
    PRIMARY KEY (person)
);

CREATE TABLE node.preference_of_table (
    person text NOT NULL,
    list text NOT NULL,
    sort text NOT NULL,
    shown text[] NOT NULL,
    turn bigint NOT NULL,
    PRIMARY KEY (person, list)
);
