-- What a recipient may look up about a parcel (Art 25): goods, pieces, weight and fee as JSON, as far as the import
-- said. NULL: nothing.
ALTER TABLE parcel ADD COLUMN contents TEXT;
