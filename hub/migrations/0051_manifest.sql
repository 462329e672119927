-- The hub's signed word of what it gave to which phone: every such parcel has to be accounted for.
ALTER TABLE assignment ADD COLUMN journal_seq INTEGER REFERENCES journal;
