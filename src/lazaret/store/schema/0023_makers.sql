-- Which token made a token: both end together.

ALTER TABLE lz_api_tokens ADD COLUMN maker varchar(32) NOT NULL DEFAULT '';  -- its name; '' for a person
