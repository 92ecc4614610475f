-- Guards over text messages, and how far they are used up.

-- :name sms_guard_all
SELECT name, kind, whom, is_on, refuses, count, window_s, burst, factor, from_minute, until_minute, handling, language FROM sms_guard ORDER BY name;

-- :name sms_guard_insert
INSERT INTO sms_guard (name, kind, whom, is_on, refuses, count, window_s, burst, factor, from_minute, until_minute, handling,
                       language)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- :name sms_guard_put
INSERT INTO sms_guard (name, kind, whom, is_on, refuses, count, window_s, burst, factor, from_minute, until_minute, handling,
                       language)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, whom = excluded.whom, is_on = excluded.is_on, refuses = excluded.refuses,
    count = excluded.count, window_s = excluded.window_s, burst = excluded.burst, factor = excluded.factor,
    from_minute = excluded.from_minute, until_minute = excluded.until_minute, handling = excluded.handling,
    language = excluded.language;

-- :name sms_guard_delete
DELETE FROM sms_guard WHERE name = ?1;

-- :name sms_guard_level_all
SELECT guard, owner, a, b, at_us FROM sms_guard_level;

-- :name sms_guard_level_put
INSERT INTO sms_guard_level (guard, owner, a, b, at_us) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (guard, owner) DO UPDATE SET a = excluded.a, b = excluded.b, at_us = excluded.at_us;

-- What says nothing any more: buckets that are full again (a: ns), flows of long ago.
-- :name sms_guard_level_purge
DELETE FROM sms_guard_level WHERE (at_us = 0 AND a < ?1 * 1000) OR (at_us > 0 AND at_us < ?2);

-- A guard that is changed or removed begins anew.
-- :name sms_guard_level_drop
DELETE FROM sms_guard_level WHERE guard = ?1;
