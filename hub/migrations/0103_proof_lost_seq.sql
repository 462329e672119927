-- Where the log says that a proof is lost, for who puts the evidence about its parcel together. Rows of before have none:
-- `satchel-hub rebuild` finds it.
ALTER TABLE proof_lost ADD COLUMN seq INTEGER;
