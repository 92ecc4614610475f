-- A callback's body is kept bare, as events are; brackets are put on when it is sent.
UPDATE delivery SET body = SUBSTR(body, 2, LENGTH(body) - 2) WHERE subscription = 0 AND SUBSTR(body, 1, 1) = '[';
