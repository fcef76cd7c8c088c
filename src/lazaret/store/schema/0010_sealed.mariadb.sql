-- The secrets of authenticator apps are longer once they are sealed.

ALTER TABLE lz_second_factors MODIFY secret varchar(255) NOT NULL;
