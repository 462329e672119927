-- How large the first batch of the next process may be, in bytes, where the lines of late were worse than they looked;
-- NULL: they were not.
ALTER TABLE phone ADD COLUMN first_batch_bytes INTEGER;
