-- Numbers that were leased before there was money (0010) have paid their first month, and owe the next 31 days after their
-- purchase; from then on the billing day is that of every lease. What bought them: the search that held them (kind 3).
INSERT INTO lease (number, since_us, resource, subscription, cause, cause_kind, country, type, assignment, unit_micro, cycles,
                   next_us, ended_us)
SELECT n.digits, n.purchased_us, n.resource, r.subscription, n.search, 3, n.country, n.type, n.assignment, 0, 1,
       n.purchased_us + 2678400000000, 0
FROM number n JOIN resource r ON r.key = n.resource
WHERE n.state = 2 AND NOT EXISTS (SELECT 1 FROM lease l WHERE l.number = n.digits AND l.ended_us = 0);
