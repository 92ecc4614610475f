-- What retention needs to find the oldest, and how far the texts of messages are gone.

INSERT INTO meta (name, value) VALUES ('bodies_until', '0');
CREATE INDEX call_repeat_of ON call_repeat (call);
CREATE INDEX number_audit_by_key ON number_audit (key);
