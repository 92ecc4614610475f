-- Calls, what happened in each, and which repeatable requests made them.

-- :name call_insert
INSERT INTO call (key, resource, leg, outbound, caller, callee, display, source, callback_uri, context, trunk, created_us,
                  connected_us, ended_us, code, subcode, sip, q850, words, sent, received, lost)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0, 0, 0, 0, 0, '', 0, 0, 0);

-- :name call_accept
UPDATE call SET callback_uri = ?2, context = ?3 WHERE key = ?1;

-- :name call_connect
UPDATE call SET connected_us = ?2 WHERE key = ?1;

-- :name call_end
UPDATE call SET ended_us = ?2, code = ?3, subcode = ?4, sip = ?5, q850 = ?6, words = ?7 WHERE key = ?1;

-- :name call_media
UPDATE call SET sent = ?2, received = ?3, lost = ?4 WHERE key = ?1;

-- :name call_find
SELECT key, resource, leg, outbound, caller, callee, display, source, callback_uri, context, trunk, created_us,
       connected_us, ended_us, code, subcode, sip, q850, words, sent, received, lost
FROM call WHERE key = ?1;

-- :name call_open
SELECT key, resource, leg, outbound, caller, callee, display, source, callback_uri, context, trunk, created_us,
       connected_us, ended_us, code, subcode, sip, q850, words, sent, received, lost
FROM call WHERE ended_us = 0 ORDER BY key;

-- Newest first, from below a key; ?1 = 0: of every resource.
-- :name call_list
SELECT key, resource, leg, outbound, caller, callee, display, source, callback_uri, context, trunk, created_us,
       connected_us, ended_us, code, subcode, sip, q850, words, sent, received, lost
FROM call WHERE (?1 = 0 OR resource = ?1) AND key < ?2 ORDER BY key DESC;

-- :name call_trail_insert
INSERT INTO call_trail (call, seq, at_us, step) VALUES (?1, ?2, ?3, ?4);

-- :name call_trail_of
SELECT seq, at_us, step FROM call_trail WHERE call = ?1 ORDER BY seq;

-- A request id of which the window has passed may be used again.
-- :name call_repeat_insert
INSERT INTO call_repeat (resource, id, call, at_us) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (resource, id) DO UPDATE SET call = excluded.call, at_us = excluded.at_us
WHERE call_repeat.at_us <= ?5;

-- The call that a repeatable request made or ended, when its window is open.
-- :name call_repeat_find
SELECT c.key, c.resource, c.leg, c.outbound, c.caller, c.callee, c.display, c.source, c.callback_uri, c.context, c.trunk,
       c.created_us, c.connected_us, c.ended_us, c.code, c.subcode, c.sip, c.q850, c.words, c.sent, c.received, c.lost
FROM call_repeat r JOIN call c ON c.key = r.call
WHERE r.resource = ?1 AND r.id = ?2 AND r.at_us > ?3;
