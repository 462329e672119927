-- Hashes of the keys that the hub's address proves itself with in TLS, 32 bytes each, one after the other. No row:
-- nobody ever named any, and phones are told nothing.
CREATE TABLE tls_pins (
    id         INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    pins       BLOB    NOT NULL,
    set_at_ms  INTEGER NOT NULL
) STRICT;
