-- Briefs of registrations, and their attachments.

-- :name brief_all
SELECT key, resource, kind, guid, country, state, number, submitted_us, updated_us, content, notes FROM brief ORDER BY key;

-- :name brief_insert
INSERT INTO brief (key, resource, kind, guid, country, state, number, submitted_us, updated_us, content, notes)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- :name brief_update
UPDATE brief SET state = ?2, number = ?3, submitted_us = ?4, updated_us = ?5, content = ?6, notes = ?7 WHERE key = ?1;

-- :name brief_delete
DELETE FROM brief WHERE key = ?1;

-- :name brief_attachment_all
SELECT brief, guid, type, name, file_type, size FROM brief_attachment ORDER BY brief, guid;

-- :name brief_attachment_put
INSERT INTO brief_attachment (brief, guid, type, name, file_type, size, content)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
ON CONFLICT (brief, guid) DO UPDATE SET
    type = excluded.type, name = excluded.name, file_type = excluded.file_type, size = excluded.size,
    content = excluded.content;

-- :name brief_attachment_delete
DELETE FROM brief_attachment WHERE brief = ?1 AND guid = ?2;

-- :name brief_attachment_delete_all
DELETE FROM brief_attachment WHERE brief = ?1;

-- One of them, or all (?2 empty), with their content.
-- :name brief_attachment_read
SELECT guid, type, name, file_type, size, content FROM brief_attachment
WHERE brief = ?1 AND (?2 = '' OR guid = ?2) ORDER BY guid LIMIT ?3 OFFSET ?4;

-- :name brief_attachment_delete_of_resource
DELETE FROM brief_attachment WHERE brief IN (SELECT key FROM brief WHERE resource = ?1);

-- :name brief_delete_of_resource
DELETE FROM brief WHERE resource = ?1;
