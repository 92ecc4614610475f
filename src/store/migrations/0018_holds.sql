-- A hold is no longer a row a number: the row of its search lists what it holds, or the items of its reservation do. What a
-- search writes is then the same few pages at the end of two tables, however many numbers are leased or wanted.

DELETE FROM number WHERE state = 1;
DROP INDEX number_by_search;
