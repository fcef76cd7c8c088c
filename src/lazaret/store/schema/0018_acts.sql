-- Who did one kind of thing: who set which policy, among all that was ever done.

CREATE INDEX lz_audit_idx_act ON lz_audit (act, id);
