-- name: set_kv
INSERT INTO kv (organization_id, namespace, key, value_json, description, expires_at, version, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (organization_id, namespace, key)
DO UPDATE SET value_json = excluded.value_json, description = coalesce(excluded.description, description),
  expires_at = excluded.expires_at, version = version + 1, updated_at = excluded.updated_at
WHERE ? OR kv.expires_at <= excluded.updated_at

-- name: delete_kv
DELETE FROM kv WHERE organization_id = ? AND namespace = ? AND key = ?

-- name: delete_expired_kv
DELETE FROM kv WHERE organization_id = ? AND namespace = ? AND key = ? AND expires_at <= ?

-- name: kv_exists
SELECT 1 FROM kv WHERE organization_id = ? AND namespace = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)

-- name: kv_expired
SELECT 1 FROM kv WHERE organization_id = ? AND namespace = ? AND key = ? AND expires_at <= ?

-- name: files_of
SELECT uri FROM file_uses WHERE organization_id || '' = ? AND flow_execution_id = ?

-- name: own_files
SELECT uri FROM file_uses WHERE organization_id || '' = ? AND flow_execution_id = ?2 AND uri NOT IN
  (SELECT output_uri FROM task_executions WHERE flow_execution_id = ?2 AND output_uri IS NOT NULL) ORDER BY uri

-- name: unuse_file
DELETE FROM file_uses WHERE organization_id = ? AND flow_execution_id = ? AND uri = ?

-- name: file_used
SELECT 1 FROM file_uses WHERE organization_id = ?1 AND uri = ?2
UNION ALL SELECT 1 FROM namespace_files WHERE organization_id = ?1 AND uri = ?2 LIMIT 1

-- name: forget_file
DELETE FROM file_uses WHERE organization_id = ? AND uri = ?

-- name: doom_file
INSERT OR IGNORE INTO doomed_files (organization_id, uri) VALUES (?, ?)

-- name: doomed_files
SELECT uri FROM doomed_files WHERE organization_id = ? ORDER BY uri LIMIT ?

-- name: doomed_file_gone
DELETE FROM doomed_files WHERE organization_id = ? AND uri = ?

-- name: weight_of
SELECT (SELECT count(*) FROM logs WHERE organization_id = ?1 AND flow_execution_id IN (SELECT value FROM json_each(?2))),
  (SELECT count(*) FROM metrics WHERE organization_id = ?1 AND flow_execution_id IN (SELECT value FROM json_each(?2))),
  (SELECT count(*) FROM file_uses WHERE organization_id || '' = ?1 AND flow_execution_id IN (SELECT value FROM json_each(?2)))

-- name: count_logs
SELECT count(*) FROM logs WHERE organization_id = ?1 AND at < ?2 AND (?3 IS NULL OR at >= ?3)
  AND (?4 IS NULL OR level IN (SELECT value FROM json_each(?4))) AND (?5 = '' OR flow_execution_id = ?5)
  AND ((?6 = '' AND ?7 = '') OR flow_execution_id IN (SELECT id FROM flow_executions WHERE organization_id = ?1
    AND (?7 = '' OR flow_id = ?7)
    AND (?6 = '' OR namespace = ?6 OR (?7 = '' AND namespace >= ?8 AND namespace < ?9))))

-- name: delete_logs
DELETE FROM logs WHERE organization_id = ?1 AND at < ?2 AND (?3 IS NULL OR at >= ?3)
  AND (?4 IS NULL OR level IN (SELECT value FROM json_each(?4))) AND (?5 = '' OR flow_execution_id = ?5)
  AND ((?6 = '' AND ?7 = '') OR flow_execution_id IN (SELECT id FROM flow_executions WHERE organization_id = ?1
    AND (?7 = '' OR flow_id = ?7)
    AND (?6 = '' OR namespace = ?6 OR (?7 = '' AND namespace >= ?8 AND namespace < ?9))))

-- name: delete_namespace_file
DELETE FROM namespace_files WHERE organization_id = ? AND namespace = ? AND path = ?

-- name: state_of
SELECT state FROM flow_executions WHERE organization_id = ? AND id = ?

-- name: variables_of
SELECT variables_json FROM flow_executions WHERE id = ?

-- name: set_variables
UPDATE flow_executions SET variables_json = ? WHERE id = ?

-- name: set_label
INSERT INTO labels (organization_id, flow_execution_id, key, value, execution_seq)
SELECT ?1, ?2, ?3, ?4, seq FROM flow_executions WHERE id = ?2
ON CONFLICT (flow_execution_id, key) DO UPDATE SET value = excluded.value

-- name: resume_execution
INSERT INTO inbox (flow_execution_id, kind, payload_json, sent_at)
SELECT id, 'resume', ?, ? FROM flow_executions WHERE organization_id = ? AND id = ?

-- name: delete_file
DELETE FROM files WHERE organization_id = ? AND uri = ?

-- name: file_namespaces
SELECT DISTINCT namespace FROM namespace_files WHERE organization_id = ? ORDER BY namespace

-- name: switch_trigger
INSERT INTO triggers (organization_id, namespace, flow_id, trigger_id, state_json, disabled) VALUES (?, ?, ?, ?, '{}', ?)
ON CONFLICT (organization_id, namespace, flow_id, trigger_id) DO UPDATE SET disabled = excluded.disabled
