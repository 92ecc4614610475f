-- Charges, their sums by day, what leases owe, and spend caps. A range includes its first and its last, times only their first.

-- :name usage_add
INSERT INTO usage (cause, kind, number, part, key, at_us, until_us, resource, subscription, country, destination, quantity,
                   unit_micro, surcharge_micro, amount_micro, cause_kind)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
ON CONFLICT (cause, kind, number, part) DO NOTHING;

-- Into the sums, if the row of this key is the one that was added: a repetition is not.
-- :name usage_sum
INSERT INTO usage_day (subscription, month, number, kind, country, destination, unit_micro, resource, day, quantity,
                       surcharge_micro, amount_micro)
SELECT subscription, ?6, number, kind, country, destination, unit_micro, resource, ?7, quantity, surcharge_micro * quantity,
       amount_micro
FROM usage WHERE cause = ?1 AND kind = ?2 AND number = ?3 AND part = ?4 AND key = ?5
ON CONFLICT (subscription, month, number, kind, country, destination, unit_micro, resource, day) DO UPDATE SET
    quantity = usage_day.quantity + excluded.quantity,
    surcharge_micro = usage_day.surcharge_micro + excluded.surcharge_micro,
    amount_micro = usage_day.amount_micro + excluded.amount_micro;

-- Of one resource, by time, behind a row.
-- :name usage_after
SELECT cause, kind, number, part, key, at_us, until_us, resource, subscription, country, destination, quantity, unit_micro,
       surcharge_micro, amount_micro, cause_kind
FROM usage
WHERE subscription = ?1 AND resource = ?2 AND (at_us, key) > (?3, ?4) AND at_us < ?5 ORDER BY at_us, key LIMIT ?6;

-- The next resource of a subscription that was ever charged.
-- :name usage_resource_after
SELECT resource FROM usage WHERE subscription = ?1 AND resource > ?2 ORDER BY resource LIMIT 1;

-- What every subscription spent in a month.
-- :name usage_spent
SELECT s.key, (SELECT SUM(d.amount_micro) FROM usage_day d WHERE d.subscription = s.key AND d.month = ?1)
FROM subscription s ORDER BY s.key;

-- Lines of a month's invoice, by number, behind a line; with the lease of a number that is charged for itself (kind 1), as it
-- was before the month's end, ?10. ?3 = 0: of every resource.
-- :name usage_lines
SELECT q.number, q.kind, q.country, q.destination, q.unit_micro, q.quantity, q.surcharge_micro, q.amount_micro, l.since_us,
       l.ended_us
FROM (SELECT number, kind, country, destination, unit_micro, SUM(quantity) AS quantity,
             SUM(surcharge_micro) AS surcharge_micro, SUM(amount_micro) AS amount_micro
      FROM usage_day
      WHERE subscription = ?1 AND month = ?2 AND (?3 = 0 OR resource = ?3)
        AND (number, kind, country, destination, unit_micro) > (?4, ?5, ?6, ?7, ?8)
      GROUP BY number, kind, country, destination, unit_micro
      ORDER BY number, kind, country, destination, unit_micro LIMIT ?9) AS q
LEFT JOIN lease l ON q.kind = 1 AND l.number = q.number
     AND l.since_us = (SELECT MAX(x.since_us) FROM lease x WHERE x.number = q.number AND x.since_us < ?10)
ORDER BY q.number, q.kind, q.country, q.destination, q.unit_micro;

-- Sums of months ?2 to ?3, days ?4 to ?5. ?6, ?7, ?8 = 0: of every resource, number, kind.
-- :name usage_by_kind
SELECT 0, kind, 0, '', '', SUM(quantity), SUM(surcharge_micro), SUM(amount_micro) FROM usage_day
WHERE subscription = ?1 AND month BETWEEN ?2 AND ?3 AND day BETWEEN ?4 AND ?5
  AND (?6 = 0 OR resource = ?6) AND (?7 = 0 OR number = ?7) AND (?8 = 0 OR kind = ?8)
GROUP BY kind ORDER BY kind;

-- Behind day ?9, kind ?10.
-- :name usage_by_day
SELECT day, kind, 0, '', '', SUM(quantity), SUM(surcharge_micro), SUM(amount_micro) FROM usage_day
WHERE subscription = ?1 AND month BETWEEN ?2 AND ?3 AND day BETWEEN ?4 AND ?5
  AND (?6 = 0 OR resource = ?6) AND (?7 = 0 OR number = ?7) AND (?8 = 0 OR kind = ?8) AND (day, kind) > (?9, ?10)
GROUP BY day, kind ORDER BY day, kind LIMIT ?11;

-- Behind number ?9, kind ?10.
-- :name usage_by_number
SELECT 0, kind, number, '', '', SUM(quantity), SUM(surcharge_micro), SUM(amount_micro) FROM usage_day
WHERE subscription = ?1 AND month BETWEEN ?2 AND ?3 AND day BETWEEN ?4 AND ?5
  AND (?6 = 0 OR resource = ?6) AND (?7 = 0 OR number = ?7) AND (?8 = 0 OR kind = ?8) AND (number, kind) > (?9, ?10)
GROUP BY number, kind ORDER BY number, kind LIMIT ?11;

-- Behind country ?9, destination ?10, kind ?11.
-- :name usage_by_destination
SELECT 0, kind, 0, country, destination, SUM(quantity), SUM(surcharge_micro), SUM(amount_micro) FROM usage_day
WHERE subscription = ?1 AND month BETWEEN ?2 AND ?3 AND day BETWEEN ?4 AND ?5
  AND (?6 = 0 OR resource = ?6) AND (?7 = 0 OR number = ?7) AND (?8 = 0 OR kind = ?8)
  AND (country, destination, kind) > (?9, ?10, ?11)
GROUP BY country, destination, kind ORDER BY country, destination, kind LIMIT ?12;

-- :name lease_add
INSERT INTO lease (number, since_us, resource, subscription, cause, country, type, assignment, unit_micro, cycles, next_us,
                   ended_us, cause_kind)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, 0, ?11);

-- The newest one of a number.
-- :name lease_end
UPDATE lease SET ended_us = ?2
WHERE number = ?1 AND since_us = (SELECT MAX(since_us) FROM lease WHERE number = ?1) AND ended_us = 0;

-- One cycle further, if it is still at ?3 of them.
-- :name lease_step
UPDATE lease SET cycles = ?3 + 1, next_us = ?4, unit_micro = ?5 WHERE number = ?1 AND since_us = ?2 AND cycles = ?3;

-- Released before its next month began.
-- :name lease_over
UPDATE lease SET next_us = 0 WHERE number = ?1 AND since_us = ?2 AND cycles = ?3;

-- :name lease_owing
SELECT number, since_us, resource, subscription, cause, country, type, assignment, unit_micro, cycles, next_us, ended_us, cause_kind
FROM lease WHERE next_us > 0 AND next_us <= ?1 ORDER BY next_us, number LIMIT ?2;

-- The first month that will be owed.
-- :name lease_next
SELECT next_us FROM lease WHERE next_us > 0 ORDER BY next_us LIMIT 1;

-- :name spend_cap_all
SELECT subscription, micro FROM spend_cap ORDER BY subscription;

-- :name spend_cap_put
INSERT INTO spend_cap (subscription, micro) VALUES (?1, ?2)
ON CONFLICT (subscription) DO UPDATE SET micro = excluded.micro;

-- :name spend_cap_drop
DELETE FROM spend_cap WHERE subscription = ?1;
