-- Sums of numbers over months are read a page at a time, in order of the numbers.
CREATE INDEX usage_day_by_number ON usage_day (subscription, number, kind);
