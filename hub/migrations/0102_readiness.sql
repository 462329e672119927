-- Written when somebody asks whether this hub is ready: only a write that ends well shows it.
CREATE TABLE readiness (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    looked_at_ms INTEGER NOT NULL
) STRICT;
