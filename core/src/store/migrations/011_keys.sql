-- The P-256 key that the app keeps in its phone's hardware (compressed point), and its signature over the
-- statement that goes with the enrolment.
ALTER TABLE phone ADD COLUMN hardware_key BLOB;
ALTER TABLE phone ADD COLUMN hardware_sig BLOB;
-- A log key that was made and waits for the hardware's signature; nothing was signed with it yet.
ALTER TABLE phone ADD COLUMN next_log_key BLOB;
-- The log key before the present one, and the entry that says so. 0: the first key is still in use.
ALTER TABLE phone ADD COLUMN log_key_before BLOB;
ALTER TABLE phone ADD COLUMN key_changed_seq INTEGER NOT NULL DEFAULT 0;
