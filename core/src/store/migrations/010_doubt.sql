-- What the operator told may also be a doubt.
CREATE TABLE told_more (
    what  TEXT NOT NULL CHECK (what IN ('regime', 'courier', 'other_round', 'report_answer', 'doubt')),
    name  TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (what, name)
) STRICT, WITHOUT ROWID;
INSERT INTO told_more (what, name, body) SELECT what, name, body FROM told;
DROP TABLE told;
ALTER TABLE told_more RENAME TO told;
