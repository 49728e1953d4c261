-- Names under which things are found, a row for each party that may see the thing; a projection,
-- made anew from events. `viewer` `*`: what those find who read everything. `term`: the name
-- without case, blanks and marks, compared by code points so that an index finds its beginnings.
CREATE TABLE node.search (
    viewer text COLLATE "C" NOT NULL,
    term text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    label text NOT NULL,
    consignment text NOT NULL,
    PRIMARY KEY (viewer, term, kind, subject)
);
-- Which version of the index was once filled from all events that were there before it.
CREATE TABLE node.search_filled (
    version integer NOT NULL,
    PRIMARY KEY (version)
);
