-- name: flow_newest
SELECT revision, source_hash FROM flows WHERE organization_id = ? AND namespace = ? AND flow_id = ?
ORDER BY revision DESC LIMIT 1

-- name: insert_flow
INSERT INTO flows (organization_id, namespace, flow_id, revision, source, source_hash, local, created_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: flow_revision
SELECT namespace, flow_id, revision, source, local, created_at FROM flows
WHERE organization_id = ? AND namespace = ? AND flow_id = ? AND deleted_at IS NULL AND (revision = ? OR ? IS NULL)
ORDER BY revision DESC LIMIT 1

-- name: flows_newest
SELECT namespace, flow_id, max(revision), source, local, created_at FROM flows
WHERE organization_id = ? AND deleted_at IS NULL AND (namespace = ? OR ? IS NULL)
GROUP BY namespace, flow_id ORDER BY namespace, flow_id

-- name: insert_execution
INSERT INTO flow_executions (id, organization_id, namespace, flow_id, flow_revision, state, history_json,
  counters_json, inputs_json, created_at) VALUES (?, ?, ?, ?, ?, 'CREATED', ?, '[0,0,"SUCCESS","tasks"]', ?, ?)

-- name: insert_label
INSERT INTO labels (organization_id, flow_execution_id, key, value, execution_seq) VALUES (?, ?, ?, ?, ?)

-- name: insert_file
INSERT INTO files (organization_id, uri, size, sha256, created_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (organization_id, uri) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256

-- name: use_file
INSERT OR IGNORE INTO file_uses (organization_id, flow_execution_id, uri) VALUES (?, ?, ?)

-- name: insert_inbox
INSERT INTO inbox (flow_execution_id, kind, payload_json, sent_at) VALUES (?, ?, ?, ?)

-- name: inbox_done
UPDATE inbox SET done_at = ? WHERE seq = ?

-- name: inbox_unread
SELECT seq, flow_execution_id, kind, payload_json FROM inbox WHERE flow_execution_id = ? AND done_at IS NULL ORDER BY seq

-- name: owner
SELECT engine_id, fence, state FROM flow_executions WHERE id = ?

-- name: claim
UPDATE flow_executions SET engine_id = ?, fence = fence + 1,
  takeovers = CASE WHEN engine_id IS NULL THEN 0 ELSE takeovers + 1 END WHERE id = ?

-- name: release
UPDATE flow_executions SET engine_id = NULL WHERE id = ? AND fence = ?

-- name: move_execution
UPDATE flow_executions SET counters_json = ?, takeovers = 0 WHERE id = ? AND fence = ?

-- name: enter_execution
UPDATE flow_executions SET state = ?, counters_json = ?, error = coalesce(?, error), takeovers = 0,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  outputs_json = coalesce(?, outputs_json), started_at = coalesce(started_at, ?), ended_at = ?
WHERE id = ? AND fence = ?

-- name: holds_fence
SELECT 1 FROM flow_executions WHERE id = ? AND fence = ?

-- name: open_task
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, value, parent_id, state, history_json, attempts_json, counters_json, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: move_task
UPDATE task_executions SET counters_json = ?, updated_at = ? WHERE id = ?

-- name: enter_task
UPDATE task_executions SET state = ?, counters_json = ?, updated_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? IS NULL THEN attempts_json ELSE json_insert(attempts_json, '$[#]', json(?)) END
WHERE id = ?

-- name: end_task
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ? WHERE id = ? AND ended_at IS NULL

-- name: end_task_with_result
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? = 1 THEN '[' || ? || ']' ELSE json_set(attempts_json, '$[#-1]', json(?)) END, note = ?, properties_hash = ?, summary_json = ?,
  output_size = ?, output_sha256 = ?, output_uri = ?, output_preview = ?, version = 1
WHERE id = ? AND ended_at IS NULL RETURNING seq

-- name: insert_body
INSERT INTO task_output_bodies (task_execution_id, organization_id, body) VALUES (?, ?, ?)

-- name: insert_summary_value
INSERT OR REPLACE INTO summary_values (organization_id, task_execution_id, path, text, number, task_execution_seq)
VALUES (?, ?, ?, ?, ?, ?)

-- name: insert_read
INSERT OR IGNORE INTO reads (organization_id, flow_execution_id, reader, what, of_task_execution, version)
SELECT ?, ?, ?, ?, te.id, te.version FROM (SELECT 1) LEFT JOIN task_executions te ON te.seq =
  (SELECT max(seq) FROM task_executions WHERE flow_execution_id = ? AND task_name = ?)

-- name: insert_evaluation
INSERT OR IGNORE INTO evaluations (organization_id, flow_execution_id, task_name, path_json, turn, purpose, round,
  value_json, error, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_log
INSERT INTO logs (organization_id, flow_execution_id, task_execution_id, task_name, attempt, at, level, message, seq)
VALUES (?, ?2, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM logs WHERE flow_execution_id = ?2))

-- name: insert_metric
INSERT INTO metrics (organization_id, flow_execution_id, task_execution_id, at, name, kind, value, tags_json, seq)
VALUES (?, ?2, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM metrics WHERE flow_execution_id = ?2))

-- name: set_kv
INSERT INTO kv (organization_id, namespace, key, value_json, version, created_at, updated_at)
VALUES (?, ?, ?, ?, 1, ?, ?) ON CONFLICT (organization_id, namespace, key)
DO UPDATE SET value_json = excluded.value_json, version = version + 1, updated_at = excluded.updated_at

-- name: get_kv
SELECT namespace, key, value_json, version, updated_at FROM kv
WHERE organization_id = ? AND namespace = ? AND (key = ? OR ? IS NULL) AND (expires_at IS NULL OR expires_at > ?)
ORDER BY key

-- name: delete_kv
DELETE FROM kv WHERE organization_id = ? AND namespace = ? AND key = ?

-- name: kv_exists
SELECT 1 FROM kv WHERE organization_id = ? AND namespace = ? AND key = ?

-- name: running_executions
SELECT count(*) FROM flow_executions WHERE organization_id = ? AND namespace = ? AND flow_id = ?
  AND state IN ('RUNNING', 'PAUSED', 'RESTARTED', 'RETRYING', 'KILLING') AND id <> ?

-- name: output_version
SELECT version FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn = ?

-- name: execution
SELECT * FROM flow_executions WHERE organization_id = ? AND id = ? AND deleted_at IS NULL

-- name: labels_of
SELECT key, value FROM labels WHERE flow_execution_id = ? ORDER BY key

-- name: find_executions
SELECT id FROM flow_executions WHERE organization_id = ? AND id >= ? AND id < ? AND deleted_at IS NULL LIMIT ?

-- name: newest_execution
SELECT id FROM flow_executions WHERE organization_id = ? AND deleted_at IS NULL ORDER BY seq DESC LIMIT 1

-- name: abandoned
SELECT id, engine_id FROM flow_executions
WHERE organization_id = ? AND engine_id IS NOT NULL AND engine_id <> ? AND ended_at IS NULL

-- name: open_tasks
SELECT id, task_name, path_json, turn, parent_id, state, counters_json, attempts_json, type
FROM task_executions WHERE flow_execution_id = ? AND ended_at IS NULL ORDER BY seq

-- name: evaluations_of
SELECT task_name, path_json, turn, purpose, round, value_json, error FROM evaluations WHERE flow_execution_id = ?

-- name: tasks_of
SELECT * FROM task_executions WHERE organization_id = ? AND flow_execution_id = ? ORDER BY seq

-- name: task
SELECT * FROM task_executions WHERE organization_id = ? AND id = ?

-- name: find_tasks
SELECT id FROM task_executions WHERE organization_id = ? AND id >= ? AND id < ? LIMIT ?

-- name: tags_of
SELECT key, value FROM tags WHERE task_execution_id = ? ORDER BY key

-- name: body
SELECT te.id, b.body, te.output_uri, te.output_size FROM task_executions te
LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id WHERE te.organization_id = ? AND te.id = ?

-- name: bodies_of
SELECT te.task_name, te.path_json, te.turn, te.state, te.id, b.body, te.output_uri, te.output_size
FROM task_executions te LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id
WHERE te.flow_execution_id = ? AND te.ended_at IS NOT NULL AND (te.task_name = ? OR ? IS NULL) ORDER BY te.seq

-- name: logs_of
SELECT seq, at, level, task_name, attempt, message FROM logs
WHERE organization_id = ? AND flow_execution_id = ? AND seq > ? AND (task_name = ? OR ? IS NULL)
  AND level IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?

-- name: may_read_file
SELECT 1 FROM file_uses WHERE organization_id = ?1 AND flow_execution_id = ?2 AND uri = ?3
UNION ALL SELECT 1 FROM namespace_files WHERE organization_id = ?1 AND uri = ?3 LIMIT 1

-- name: save_namespace_file
INSERT INTO namespace_files (organization_id, namespace, path, uri, size, sha256, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organization_id, namespace, path)
DO UPDATE SET uri = excluded.uri, size = excluded.size, sha256 = excluded.sha256, updated_at = excluded.updated_at

-- name: namespace_files
SELECT path, uri FROM namespace_files WHERE organization_id = ? AND namespace = ? ORDER BY path

-- name: files_of
SELECT uri FROM file_uses WHERE organization_id = ? AND flow_execution_id = ?

-- name: file_used
SELECT 1 FROM file_uses WHERE organization_id = ? AND uri = ? LIMIT 1

-- name: delete_file
DELETE FROM files WHERE organization_id = ? AND uri = ?

-- name: register_engine
INSERT INTO engines (id, beat, pid, started_at) VALUES (?, 0, ?, ?)

-- name: beat
UPDATE engines SET beat = beat + 1 WHERE id = ?

-- name: forget_engine
DELETE FROM engines WHERE id = ?
