-- One row a fact: the clock's offset, the seed, this node.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
