"""The statements of the hot paths, as the drivers take them.

SQLAlchemy builds and checks a statement in the time that SQLite takes to run it
three times. ``?`` stands for a parameter; `Database.sql` writes it as the driver
wants it. Each statement is whole in itself and its own transaction.
"""

SEND = """
INSERT INTO messages (queue, body, attributes, visible_at, deliveries, created_at)
VALUES (?, ?, ?, ?, 0, ?)
"""

SEND_MANY = """
INSERT INTO messages (queue, body, attributes, visible_at, deliveries, created_at)
SELECT ?, m.body, m.attributes, ?, 0, ?
FROM unnest(?::text[], ?::text[]) AS m (body, attributes)
"""

NEXT = """
SELECT id FROM messages WHERE queue = ? AND visible_at <= ?
ORDER BY visible_at LIMIT 1
"""

CLAIM_SQLITE = """
UPDATE messages SET visible_at = ?, receipt = ?, deliveries = deliveries + 1
WHERE id IN (
    SELECT id FROM messages WHERE queue = ? AND visible_at <= ?
    ORDER BY visible_at LIMIT ?
)
RETURNING id, body, attributes, deliveries
"""

# As a common table expression the choice is made once, whatever the plan.
CLAIM_POSTGRESQL = """
WITH chosen AS MATERIALIZED (
    SELECT id FROM messages WHERE queue = ? AND visible_at <= ?
    ORDER BY visible_at LIMIT ? FOR UPDATE SKIP LOCKED
)
UPDATE messages AS m SET visible_at = ?, receipt = ?, deliveries = m.deliveries + 1
FROM chosen WHERE m.id = chosen.id
RETURNING m.id, m.body, m.attributes, m.deliveries
"""

EXTEND = """
UPDATE messages SET visible_at = ?
WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?
"""

RELEASE = """
UPDATE messages SET visible_at = ?, receipt = NULL
WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?
"""

DONE = """
DELETE FROM messages WHERE id = ? AND queue = ? AND receipt = ? AND visible_at > ?
"""

DONE_MANY_SQLITE = """
DELETE FROM messages
WHERE id IN (SELECT value FROM json_each(?))
AND queue = ? AND receipt = ? AND visible_at > ?
RETURNING id
"""

DONE_MANY_POSTGRESQL = """
DELETE FROM messages
WHERE id = ANY(?) AND queue = ? AND receipt = ? AND visible_at > ?
RETURNING id
"""

PUBLISHED_NUMBER = "SELECT published_number FROM courses WHERE id = ?"

# One place is held at a time, so what was opened last ended last.
LAST_PLACE = """
SELECT version, document FROM enrollments WHERE user_id = ? AND course_id = ?
ORDER BY held DESC, opened_at DESC, id DESC LIMIT 1
"""

PROGRESS = """
SELECT epoch, watched, position_ms, read_at, seen_at, completed_at, version,
    user_id, lesson
FROM progress WHERE user_id = ? AND course_id = ? AND lesson = ?
"""

PROGRESS_OF_LEARNER = """
SELECT epoch, watched, position_ms, read_at, seen_at, completed_at, version,
    user_id, lesson
FROM progress WHERE user_id = ? AND course_id = ? ORDER BY lesson
"""

PROGRESS_OF_COURSE = """
SELECT epoch, watched, position_ms, read_at, seen_at, completed_at, version,
    user_id, lesson
FROM progress WHERE course_id = ? AND (user_id, lesson) > (?, ?)
ORDER BY user_id, lesson LIMIT ?
"""

PROGRESS_FIRST = """
INSERT INTO progress (epoch, watched, position_ms, read_at, seen_at, completed_at,
    version, user_id, course_id, lesson)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""

PROGRESS_CHANGE = """
UPDATE progress SET epoch = ?, watched = ?, position_ms = ?, read_at = ?, seen_at = ?,
    completed_at = ?, version = ?
WHERE user_id = ? AND course_id = ? AND lesson = ? AND version = ?
"""

PROGRESS_BLANK_MANY = """
INSERT INTO progress (epoch, watched, position_ms, version, user_id, course_id, lesson)
SELECT 0, '', 0, 0, k.user_id, k.course_id, k.lesson
FROM unnest(?::text[], ?::text[], ?::text[]) AS k (user_id, course_id, lesson)
ON CONFLICT DO NOTHING
"""

PROGRESS_LOCK_MANY = """
SELECT p.epoch, p.watched, p.position_ms, p.read_at, p.seen_at, p.completed_at,
    p.version, p.user_id, p.course_id, p.lesson
FROM unnest(?::text[], ?::text[], ?::text[]) AS k (user_id, course_id, lesson)
JOIN progress AS p USING (user_id, course_id, lesson)
ORDER BY p.user_id, p.course_id, p.lesson FOR UPDATE OF p
"""

PROGRESS_FORGET = "DELETE FROM progress WHERE user_id = ?"
