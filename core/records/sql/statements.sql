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

-- name: flow_revisions
SELECT namespace, flow_id, revision, source, local, created_at FROM flows
WHERE organization_id = ? AND namespace = ? AND flow_id = ? AND deleted_at IS NULL ORDER BY revision DESC

-- name: flows_newest
SELECT namespace, flow_id, max(revision), source, local, created_at FROM flows
WHERE organization_id = ? AND deleted_at IS NULL AND (namespace = ? OR ? IS NULL)
GROUP BY namespace, flow_id ORDER BY namespace, flow_id

-- name: insert_execution
INSERT INTO flow_executions (id, organization_id, namespace, flow_id, flow_revision, state, history_json,
  counters_json, inputs_json, created_at, variables_json, trigger_json, due_at, parent_execution_id,
  parent_task_execution_id, parent_task, parent_attempt, parent_waits, child_index, original_id, attempt_number,
  original_created_at)
VALUES (?, ?, ?, ?, ?, 'CREATED', ?, '[0,0,"SUCCESS","tasks"]', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (parent_task_execution_id, child_index, parent_attempt, attempt_number)
  WHERE parent_task_execution_id IS NOT NULL DO NOTHING RETURNING seq

-- name: origin
SELECT coalesce(original_id, id), attempt_number, coalesce(original_created_at, created_at), variables_json, trigger_json
FROM flow_executions WHERE id = ?

-- name: parent_of
SELECT parent_execution_id, parent_task_execution_id, parent_task, child_index, parent_waits, parent_attempt
FROM flow_executions WHERE id = ? AND parent_task_execution_id IS NOT NULL

-- name: children_of
SELECT child_index, id, state, outputs_json, error FROM flow_executions c WHERE parent_task_execution_id = ?1
  AND seq = (SELECT max(seq) FROM flow_executions WHERE parent_task_execution_id = ?1 AND child_index = c.child_index)
ORDER BY child_index

-- name: tell_parent
INSERT INTO inbox (flow_execution_id, kind, payload_json, sent_at)
SELECT c.parent_execution_id, 'child_ended',
  json_object('task', json(c.parent_task), 'index', c.child_index, 'execution_id', c.id, 'state', c.state), ?
FROM flow_executions c WHERE c.id = ? AND c.parent_waits AND NOT EXISTS (SELECT 1 FROM flow_executions n
  WHERE n.parent_task_execution_id = c.parent_task_execution_id AND n.child_index = c.child_index AND n.seq > c.seq)

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
UPDATE flow_executions SET engine_id = ?1, fence = fence + 1,
  takeovers = CASE WHEN engine_id IS NULL OR engine_id = ?1 THEN 0 ELSE takeovers + 1 END WHERE id = ?2

-- name: inherit_owner
UPDATE flow_executions SET engine_id = (SELECT engine_id FROM flow_executions WHERE id = ?) WHERE id = ?

-- name: release
UPDATE flow_executions SET engine_id = NULL WHERE id = ? AND fence = ?

-- name: move_execution
UPDATE flow_executions SET counters_json = ?, takeovers = 0 WHERE id = ? AND fence = ?

-- name: enter_execution
UPDATE flow_executions SET state = ?, counters_json = ?, error = coalesce(?, error), takeovers = 0,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  outputs_json = coalesce(?, outputs_json), started_at = coalesce(started_at, ?), ended_at = ?, due_at = NULL
WHERE id = ? AND fence = ?

-- name: forget_takeovers
UPDATE flow_executions SET takeovers = 0 WHERE id = ?

-- name: give_reason
UPDATE flow_executions SET error = ? WHERE id = ?

-- name: forget_end
UPDATE flow_executions SET error = NULL, outputs_json = NULL WHERE id = ? AND fence = ?

-- name: holds_fence
SELECT takeovers FROM flow_executions WHERE id = ? AND fence = ?

-- name: open_task
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, value, parent_id, state, history_json, attempts_json, counters_json, iteration, created_at,
  updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (flow_execution_id, task_name, path_json, turn) DO NOTHING

-- name: move_task
UPDATE task_executions SET counters_json = ?, updated_at = ? WHERE id = ?

-- name: add_log_file
UPDATE task_executions SET log_files_json = json_insert(coalesce(log_files_json, '[]'), '$[#]', json_array(?, ?))
WHERE id = ?

-- name: log_files
SELECT task_name, log_files_json FROM task_executions
WHERE flow_execution_id = ? AND log_files_json IS NOT NULL ORDER BY seq

-- name: hold_task
UPDATE task_executions SET due_at = ?, wait_state = coalesce(?, wait_state), updated_at = ? WHERE id = ?

-- name: enter_task
UPDATE task_executions SET state = ?, counters_json = ?, updated_at = ?, due_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? IS NULL THEN attempts_json ELSE json_insert(attempts_json, '$[#]', json(?)) END
WHERE id = ?

-- name: end_attempt
UPDATE task_executions SET attempts_json = json_set(attempts_json, '$[#-1][2]', ?, '$[#-1][3]',
  coalesce(?, json_extract(attempts_json, '$[#-1][3]')), '$[#-1][4]', ?, '$[#-1][5]', ?)
WHERE id = ? AND attempts_json <> '[]'

-- name: reopen_task
UPDATE task_executions SET state = ?, counters_json = ?, parent_id = ?, iteration = coalesce(?, iteration),
  updated_at = ?, ended_at = NULL, error = NULL, due_at = NULL, stale_since = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? IS NULL THEN attempts_json ELSE json_insert(attempts_json, '$[#]', json(?)) END
WHERE id = ? AND ended_at IS NOT NULL

-- name: forget_output
UPDATE task_executions SET version = version + 1, note = NULL, properties_hash = NULL, summary_json = NULL,
  output_size = NULL, output_sha256 = NULL, output_uri = NULL, output_preview = NULL WHERE id = ? AND version > 0

-- name: forget_body
DELETE FROM task_output_bodies WHERE task_execution_id = ?

-- name: forget_summary
DELETE FROM summary_values WHERE task_execution_id = ?

-- name: change_end
UPDATE task_executions SET state = ?, updated_at = ?,
  history_json = substr(history_json, 1, length(history_json) - 1) || ? WHERE id = ? AND ended_at IS NOT NULL

-- name: give_output
UPDATE task_executions SET updated_at = ?, summary_json = ?, output_size = ?, output_sha256 = ?, output_uri = ?,
  output_preview = ?, version = max(version, 1) WHERE id = ?

-- name: end_task
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?, due_at = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN attempts_json = '[]' OR json_type(attempts_json, '$[#-1][4]') <> 'null' THEN attempts_json
    ELSE json_set(attempts_json, '$[#-1][2]', ?, '$[#-1][4]', ?) END
WHERE id = ? AND ended_at IS NULL

-- name: end_task_with_result
UPDATE task_executions SET state = ?, error = ?, updated_at = ?, ended_at = ?, due_at = NULL,
  history_json = substr(history_json, 1, length(history_json) - 1) || ?,
  attempts_json = CASE WHEN ? = 1 THEN '[' || ? || ']' ELSE json_set(attempts_json, '$[#-1]', json(?)) END,
  note = ?, properties_hash = ?, summary_json = ?, output_size = ?, output_sha256 = ?, output_uri = ?,
  output_preview = ?, version = max(version, 1)
WHERE id = ? AND ended_at IS NULL

-- name: keep_properties
UPDATE task_executions SET properties_json = ? WHERE id = ?

-- name: insert_body
INSERT OR REPLACE INTO task_output_bodies (task_execution_id, organization_id, body) VALUES (?, ?, ?)

-- name: insert_summary_value
INSERT OR REPLACE INTO summary_values (organization_id, task_execution_id, path, text, number, task_execution_seq)
VALUES (?1, ?2, ?3, ?4, ?5, (SELECT seq FROM task_executions WHERE id = ?2))

-- name: insert_read
INSERT OR IGNORE INTO reads (organization_id, flow_execution_id, reader, what, of_task_execution, version)
SELECT ?, ?, ?, ?, coalesce(te.id, '*' || nullif(?, '')), te.version FROM (SELECT 1) LEFT JOIN task_executions te
  ON te.seq = (SELECT seq FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND path_json = ?
    AND turn >= 0 ORDER BY turn DESC LIMIT 1)

-- name: task_at
SELECT 1 FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn >= 0 LIMIT 1

-- name: reads_of
SELECT reader, what, of_task_execution, version FROM reads WHERE flow_execution_id = ?

-- name: copy_read
INSERT OR IGNORE INTO reads (organization_id, flow_execution_id, reader, what, of_task_execution, version)
VALUES (?, ?, ?, ?, ?, ?)

-- name: places_of
SELECT id, parent_id, task_name, path_json, turn FROM task_executions WHERE flow_execution_id = ? ORDER BY seq

-- name: place
SELECT flow_execution_id FROM task_executions WHERE id = ?

-- name: set_stale
UPDATE task_executions SET stale_since = coalesce(stale_since, ?), updated_at = ? WHERE id = ?

-- name: copy_task
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, value, parent_id, state, history_json, attempts_json, counters_json, error, note, properties_hash,
  properties_json, summary_json, output_size, output_sha256, output_uri, output_preview, version, modified_by,
  iteration, created_at, updated_at, ended_at, stale_since, deleted_at, copied_from)
SELECT ?, organization_id, ?, namespace, flow_id, ?, task_name, type, path_json, turn, value, ?, state, history_json,
  attempts_json, counters_json, error, note, properties_hash, properties_json, summary_json, output_size, output_sha256,
  output_uri, output_preview, version, modified_by, iteration, created_at, updated_at, coalesce(ended_at, ?),
  stale_since, deleted_at, id FROM task_executions WHERE id = ? RETURNING seq

-- name: copy_body
INSERT INTO task_output_bodies (task_execution_id, organization_id, body)
SELECT ?, organization_id, body FROM task_output_bodies WHERE task_execution_id = ?

-- name: copy_summary
INSERT INTO summary_values (organization_id, task_execution_id, path, text, number, task_execution_seq)
SELECT organization_id, ?, path, text, number, ? FROM summary_values WHERE task_execution_id = ?

-- name: copy_tags
INSERT INTO tags (organization_id, task_execution_id, key, value, task_execution_seq)
SELECT organization_id, ?, key, value, ? FROM tags WHERE task_execution_id = ?

-- name: copy_evaluations
INSERT INTO evaluations (organization_id, flow_execution_id, task_name, path_json, turn, purpose, round, value_json,
  error, at)
SELECT organization_id, ?, task_name, path_json, turn, purpose, round, value_json, error, at FROM evaluations
WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn = ?

-- name: copy_files
INSERT OR IGNORE INTO file_uses (organization_id, flow_execution_id, uri)
SELECT organization_id, ?, uri FROM file_uses WHERE flow_execution_id = ?

-- name: insert_evaluation
INSERT OR IGNORE INTO evaluations (organization_id, flow_execution_id, task_name, path_json, turn, purpose, round,
  value_json, error, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: insert_log
INSERT INTO logs (organization_id, flow_execution_id, task_execution_id, task_name, attempt, at, level, message, seq)
VALUES (?, ?2, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM logs WHERE flow_execution_id = ?2))

-- name: insert_metric
INSERT INTO metrics (organization_id, flow_execution_id, task_execution_id, at, name, kind, value, tags_json, seq)
VALUES (?, ?2, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM metrics WHERE flow_execution_id = ?2))

-- name: get_kv
SELECT namespace, key, value_json, version, updated_at FROM kv
WHERE organization_id = ? AND namespace = ? AND (key = ? OR ? IS NULL) AND (expires_at IS NULL OR expires_at > ?)
ORDER BY key

-- name: running_executions
SELECT count(*) FROM flow_executions WHERE organization_id = ? AND namespace = ? AND flow_id = ?
  AND ended_at IS NULL AND state IN ('RUNNING', 'PAUSED', 'RESTARTED', 'RETRYING', 'KILLING') AND id <> ?

-- name: older_queued
SELECT engine_id FROM flow_executions WHERE organization_id = ? AND namespace = ? AND flow_id = ?
  AND ended_at IS NULL AND state = 'QUEUED' AND seq < (SELECT seq FROM flow_executions WHERE id = ?) ORDER BY seq

-- name: queued
SELECT id, engine_id FROM flow_executions WHERE organization_id = ? AND namespace = ? AND flow_id = ?
  AND ended_at IS NULL AND state = 'QUEUED' ORDER BY seq

-- name: output_version
SELECT version FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn = ?

-- name: execution
SELECT * FROM flow_executions WHERE organization_id = ? AND id = ? AND deleted_at IS NULL

-- name: labels_of
SELECT key, value FROM labels WHERE flow_execution_id = ? ORDER BY key

-- name: find_executions
SELECT id FROM flow_executions WHERE organization_id || '' = ? AND id >= ? AND id < ? AND deleted_at IS NULL LIMIT ?

-- name: newest_execution
SELECT id FROM flow_executions WHERE organization_id = ? AND deleted_at IS NULL ORDER BY seq DESC LIMIT 1

-- name: abandoned
SELECT id, engine_id FROM flow_executions INDEXED BY flow_executions_owned
WHERE organization_id = ? AND engine_id IS NOT NULL AND engine_id <> ?
  AND (ended_at IS NULL OR json_extract(counters_json, '$[3]') = 'after')

-- name: open_tasks
SELECT te.*, p.task_name AS parent_name, p.path_json AS parent_path, p.turn AS parent_turn
FROM task_executions te LEFT JOIN task_executions p ON p.id = te.parent_id
WHERE te.flow_execution_id = ? AND te.ended_at IS NULL ORDER BY te.seq

-- name: past
SELECT id, type, parent_id, attempts_json, task_name, path_json, turn, state, counters_json, stale_since
FROM task_executions WHERE flow_execution_id = ? AND turn >= 0 ORDER BY seq

-- name: identity
SELECT id, type, parent_id, attempts_json FROM task_executions
WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn = ?

-- name: states_of
SELECT task_name, path_json, turn, state FROM task_executions WHERE flow_execution_id = ? AND turn >= 0 ORDER BY seq

-- name: states_of_task
SELECT task_name, path_json, turn, state FROM task_executions
WHERE flow_execution_id = ? AND task_name = ? AND turn >= 0 ORDER BY +seq

-- name: evaluations_of
SELECT task_name, path_json, turn, purpose, round, value_json, error FROM evaluations WHERE flow_execution_id = ?

-- name: tasks_of
SELECT * FROM task_executions WHERE organization_id = ? AND flow_execution_id = ? AND turn >= 0 ORDER BY seq

-- name: task
SELECT * FROM task_executions WHERE organization_id = ? AND id = ?

-- name: find_tasks
SELECT id FROM task_executions WHERE organization_id || '' = ? AND id >= ? AND id < ? LIMIT ?

-- name: tags_of
SELECT key, value FROM tags WHERE task_execution_id = ? ORDER BY key

-- name: body
SELECT te.id, b.body, te.output_uri, te.output_size FROM task_executions te
LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id WHERE te.organization_id = ? AND te.id = ?

-- name: bodies_of
SELECT te.task_name, te.path_json, te.turn, te.state, te.id, b.body, te.output_uri, te.output_size
FROM task_executions te LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id
WHERE te.flow_execution_id = ? AND te.turn >= 0 AND (te.ended_at IS NOT NULL OR te.output_size IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM task_executions later WHERE later.flow_execution_id = te.flow_execution_id
    AND later.task_name = te.task_name AND later.path_json = te.path_json AND later.turn > te.turn
    AND (later.ended_at IS NOT NULL OR later.output_size IS NOT NULL))
ORDER BY te.seq

-- name: bodies_of_task
SELECT te.task_name, te.path_json, te.turn, te.state, te.id, b.body, te.output_uri, te.output_size
FROM task_executions te LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id
WHERE te.flow_execution_id = ? AND te.task_name = ? AND te.turn >= 0
  AND (te.ended_at IS NOT NULL OR te.output_size IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM task_executions later WHERE later.flow_execution_id = te.flow_execution_id
    AND later.task_name = te.task_name AND later.path_json = te.path_json AND later.turn > te.turn
    AND (later.ended_at IS NOT NULL OR later.output_size IS NOT NULL))
ORDER BY +te.seq

-- name: output_at
SELECT te.id, b.body, te.output_uri, te.output_size FROM task_executions te
LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id
WHERE te.flow_execution_id = ? AND te.task_name = ? AND te.path_json = ? AND te.turn >= 0 AND te.output_size IS NOT NULL
ORDER BY te.turn DESC LIMIT 1

-- name: paths_below
SELECT path_json FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND path_json >= ?
  AND path_json < ? AND turn >= 0 AND output_size IS NOT NULL ORDER BY seq

-- name: logs_of
SELECT seq, at, level, task_name, attempt, message, task_execution_id FROM logs
WHERE organization_id = ? AND flow_execution_id = ? AND seq > ? AND (task_name = ? OR ? IS NULL)
  AND level IN (SELECT value FROM json_each(?)) ORDER BY seq LIMIT ?

-- name: may_read_file
SELECT 1 FROM file_uses WHERE organization_id = ?1 AND flow_execution_id = ?2 AND uri = ?3
UNION ALL SELECT 1 FROM file_uses WHERE organization_id = ?1 AND uri = ?3
 AND flow_execution_id = (SELECT parent_execution_id FROM flow_executions WHERE id = ?2)
UNION ALL SELECT 1 FROM file_uses JOIN flow_executions ON flow_executions.id = file_uses.flow_execution_id
 WHERE file_uses.organization_id = ?1 AND uri = ?3 AND parent_execution_id = ?2
UNION ALL SELECT 1 FROM namespace_files WHERE organization_id = ?1 AND uri = ?3 LIMIT 1

-- name: kept_result
SELECT result_json FROM kept_results
WHERE organization_id = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)

-- name: keep_result
INSERT OR REPLACE INTO kept_results (organization_id, key, result_json, created_at, expires_at) VALUES (?, ?, ?, ?, ?)

-- name: forget_results
DELETE FROM kept_results WHERE organization_id = ? AND expires_at IS NOT NULL AND expires_at <= ?

-- name: save_namespace_file
INSERT INTO namespace_files (organization_id, namespace, path, uri, size, sha256, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (organization_id, namespace, path)
DO UPDATE SET uri = excluded.uri, size = excluded.size, sha256 = excluded.sha256, updated_at = excluded.updated_at

-- name: namespace_files
SELECT path, uri FROM namespace_files WHERE organization_id = ? AND namespace = ? ORDER BY path

-- name: register_engine
INSERT INTO engines (id, beat, pid, started_at) VALUES (?, 0, ?, ?)

-- name: beat
UPDATE engines SET beat = beat + 1 WHERE id = ?

-- name: forget_engine
DELETE FROM engines WHERE id = ?
