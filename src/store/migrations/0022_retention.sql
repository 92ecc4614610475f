-- What retention needs to find the oldest.

CREATE INDEX call_repeat_of ON call_repeat (call);
CREATE INDEX number_audit_by_key ON number_audit (key);
