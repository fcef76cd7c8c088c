-- The secrets of authenticator apps are longer once they are sealed.

ALTER TABLE lz_second_factors ALTER COLUMN secret TYPE varchar(255);
