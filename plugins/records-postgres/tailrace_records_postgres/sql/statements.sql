-- The statements of the core (core/records/sql) that PostgreSQL has other words for. What can be translated word by word
-- is not here (statements.py).

-- name: flows_newest
SELECT DISTINCT ON (namespace, flow_id) namespace, flow_id, revision, source, local, created_at FROM flows
WHERE organization_id = ? AND deleted_at IS NULL AND (namespace = ? OR ? IS NULL)
ORDER BY namespace, flow_id, revision DESC

-- name: tell_parent
INSERT INTO inbox (flow_execution_id, kind, payload_json, sent_at)
SELECT c.parent_execution_id, 'child_ended', '{"task":' || c.parent_task || ',"index":' || c.child_index
  || ',"execution_id":' || as_json(c.id) || ',"state":' || as_json(c.state) || '}', ?::bigint
FROM flow_executions c WHERE c.id = ? AND c.parent_waits AND NOT EXISTS (SELECT 1 FROM flow_executions n
  WHERE n.parent_task_execution_id = c.parent_task_execution_id AND n.child_index = c.child_index AND n.seq > c.seq)

-- Sent without asking first whether there are any.
-- name: forget_takeovers
UPDATE flow_executions SET takeovers = 0 WHERE id = ? AND takeovers <> 0

-- name: add_log_file
UPDATE task_executions
SET log_files_json = appended(coalesce(log_files_json, '[]'), '[' || ?::bigint || ',' || as_json(?) || ']') WHERE id = ?

-- name: enter_task
UPDATE task_executions SET state = ?, counters_json = ?, updated_at = ?, due_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? IS NULL THEN attempts_json ELSE appended(attempts_json, ?) END
WHERE id = ?

-- name: end_attempt
UPDATE task_executions SET attempts_json = ended_attempt(attempts_json, ?, ?, ?, ?)
WHERE id = ? AND attempts_json <> '[]'

-- name: reopen_task
UPDATE task_executions SET state = ?, counters_json = ?, parent_id = ?, iteration = coalesce(?, iteration),
  updated_at = ?, ended_at = NULL, error = NULL, due_at = NULL, stale_since = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? IS NULL THEN attempts_json ELSE appended(attempts_json, ?) END
WHERE id = ? AND ended_at IS NOT NULL

-- name: end_task
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?, due_at = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN attempts_json = '[]' OR json_typeof(attempts_json::json -> -1 -> 4) <> 'null'
    THEN attempts_json ELSE ended_attempt(attempts_json, ?, NULL, ?, NULL) END
WHERE id = ? AND ended_at IS NULL

-- name: end_task_with_result
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?, due_at = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? = 1 THEN '[' || ? || ']' ELSE last_replaced(attempts_json, ?) END,
  note = ?, properties_hash = ?, summary_json = ?, output_size = ?, output_sha256 = ?, output_uri = ?,
  output_preview = ?, version = greatest(version, 1)
WHERE id = ? AND ended_at IS NULL

-- name: insert_body
INSERT INTO task_output_bodies (task_execution_id, organization_id, body) VALUES (?, ?, ?)
ON CONFLICT (task_execution_id) DO UPDATE SET body = excluded.body

-- A text that is too long for an index entry is found by its beginning nowhere, and kept whole in `summary_json`.
-- name: insert_summary_value
INSERT INTO summary_values (organization_id, task_execution_id, path, text, number, task_execution_seq)
VALUES (?1, ?2, left(?3, 600), left(?4, 600), ?5, (SELECT seq FROM task_executions WHERE id = ?2))
ON CONFLICT (task_execution_id, path)
DO UPDATE SET text = excluded.text, number = excluded.number, task_execution_seq = excluded.task_execution_seq

-- name: keep_result
INSERT INTO kept_results (organization_id, key, result_json, created_at, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (organization_id, key) DO UPDATE
SET result_json = excluded.result_json, created_at = excluded.created_at, expires_at = excluded.expires_at

-- name: set_kv
INSERT INTO kv (organization_id, namespace, key, value_json, description, expires_at, version, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (organization_id, namespace, key)
DO UPDATE SET value_json = excluded.value_json, description = coalesce(excluded.description, kv.description),
  expires_at = excluded.expires_at, version = kv.version + 1, updated_at = excluded.updated_at
WHERE ? OR kv.expires_at <= excluded.updated_at

-- name: count_logs
SELECT count(*) FROM logs WHERE organization_id = ?1 AND at < ?2 AND (?3::bigint IS NULL OR at >= ?3)
  AND (?4::text IS NULL OR level IN (SELECT value FROM json_each(?4))) AND (?5 = '' OR flow_execution_id = ?5)
  AND ((?6 = '' AND ?7 = '') OR flow_execution_id IN (SELECT id FROM flow_executions WHERE organization_id = ?1
    AND (?7 = '' OR flow_id = ?7)
    AND (?6 = '' OR namespace = ?6 OR (?7 = '' AND namespace >= ?8 AND namespace < ?9))))

-- name: delete_logs
DELETE FROM logs WHERE organization_id = ?1 AND at < ?2 AND (?3::bigint IS NULL OR at >= ?3)
  AND (?4::text IS NULL OR level IN (SELECT value FROM json_each(?4))) AND (?5 = '' OR flow_execution_id = ?5)
  AND ((?6 = '' AND ?7 = '') OR flow_execution_id IN (SELECT id FROM flow_executions WHERE organization_id = ?1
    AND (?7 = '' OR flow_id = ?7)
    AND (?6 = '' OR namespace = ?6 OR (?7 = '' AND namespace >= ?8 AND namespace < ?9))))

-- A reader that is too long for the index stands there as its digest; it is looked for only when its place is long.

-- name: reads_by
SELECT what, of_task_execution FROM reads WHERE flow_execution_id = ? AND place(reader) = ? ORDER BY what LIMIT ?

-- name: reads_by_place
SELECT reader, what, of_task_execution FROM reads
WHERE flow_execution_id = ?1 AND place(reader) >= ?2 AND place(reader) < ?3
UNION ALL SELECT reader, what, of_task_execution FROM reads
WHERE octet_length(?2) >= 900 AND flow_execution_id = ?1 AND octet_length(reader) >= 1000 AND reader >= ?2 AND reader < ?3
ORDER BY reader, what LIMIT ?4

-- Of the organization alone, in the index that begins with it: the policies choose none.

-- name: top_block_of_task_executions
SELECT coalesce(max(seq), 0) / 1024 FROM task_executions
WHERE organization_id = current_setting('tailrace.organization', true)

-- name: top_block_of_flow_executions
SELECT coalesce(max(seq), 0) / 1024 FROM flow_executions
WHERE organization_id = current_setting('tailrace.organization', true)

-- name: forget_task_spans
DELETE FROM time_spans
WHERE rows_of = 'task_executions' AND organization_id = current_setting('tailrace.organization', true)
  AND block >= (SELECT coalesce(max(seq), 0) / 1024 FROM task_executions
    WHERE organization_id = current_setting('tailrace.organization', true))

-- name: forget_execution_spans
DELETE FROM time_spans
WHERE rows_of = 'flow_executions' AND organization_id = current_setting('tailrace.organization', true)
  AND block >= (SELECT coalesce(max(seq), 0) / 1024 FROM flow_executions
    WHERE organization_id = current_setting('tailrace.organization', true))

-- What looks at all organizations does it through functions that give no more than this (protection.sql).

-- name: owners
SELECT * FROM across_owners()

-- name: left_by
SELECT * FROM across_left_by(?, ?, ?)

-- name: with_messages
SELECT * FROM across_with_messages(?, ?, ?)

-- name: come_due
SELECT * FROM across_come_due(?, ?)

-- name: organizations
SELECT * FROM across_organizations()

-- name: api_key
SELECT * FROM across_api_key(?)

-- name: has_api_keys
SELECT * FROM across_has_api_keys()

-- name: session
SELECT * FROM across_session(?)

-- What only this store asks.

-- Lines of one execution, by columns.
-- name: insert_logs
INSERT INTO logs (organization_id, flow_execution_id, task_execution_id, task_name, attempt, at, level, message, seq)
SELECT one.*, row_number() OVER () + (SELECT coalesce(max(seq), 0) FROM logs WHERE flow_execution_id = (?2::text[])[1])
FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::text[], ?5::bigint[], ?6::bigint[], ?7::text[], ?8::text[]) AS one

-- name: insert_metrics
INSERT INTO metrics (organization_id, flow_execution_id, task_execution_id, at, name, kind, value, tags_json, seq)
SELECT one.*, row_number() OVER ()
  + (SELECT coalesce(max(seq), 0) FROM metrics WHERE flow_execution_id = (?2::text[])[1])
FROM unnest(?1::text[], ?2::text[], ?3::text[], ?4::bigint[], ?5::text[], ?6::text[], ?7::float8[], ?8::text[]) AS one

-- name: organization_of_execution
SELECT organization_of_execution(?)

-- name: organization_of_task
SELECT organization_of_task(?)

-- name: organization_of_key
SELECT organization_of_key(?)

-- name: organizations_owned_by
SELECT * FROM organizations_owned_by(?)

-- name: beat_of
SELECT beat FROM engines WHERE id = ?

-- name: inbox_of
SELECT seq, flow_execution_id, kind, payload_json FROM inbox
WHERE flow_execution_id IN (SELECT value FROM json_each(?)) AND done_at IS NULL ORDER BY seq
