-- Near-duplicates: which messages are alike, as far as they lie in the quarantine.

ALTER TABLE lz_msgs ADD COLUMN campaign bigint;  -- NULL: not looked at; else the same for all that are alike
CREATE INDEX lz_msgs_idx_campaign ON lz_msgs (campaign, id);

CREATE TABLE lz_campaign_marks (
  mark          bigint NOT NULL,                 -- of a text; two that are alike have most likely one in common
  campaign      bigint NOT NULL,
  time_num      integer NOT NULL,
  PRIMARY KEY (mark)
) $CLUSTERED;
CREATE INDEX lz_campaign_marks_idx_time_num ON lz_campaign_marks (time_num);
