-- name: top_block_of_task_executions
SELECT coalesce(max(seq), 0) / 1024 FROM task_executions

-- name: top_block_of_flow_executions
SELECT coalesce(max(seq), 0) / 1024 FROM flow_executions

-- name: forget_task_spans
DELETE FROM time_spans WHERE rows_of = 'task_executions'
  AND block >= (SELECT coalesce(max(seq), 0) / 1024 FROM task_executions)

-- name: forget_execution_spans
DELETE FROM time_spans WHERE rows_of = 'flow_executions'
  AND block >= (SELECT coalesce(max(seq), 0) / 1024 FROM flow_executions)

-- name: output_to_change
SELECT te.seq, te.flow_execution_id, te.version, te.summary_json, te.output_size, te.output_sha256, te.ended_at,
  te.deleted_at, b.body, fe.engine_id
FROM task_executions te LEFT JOIN task_output_bodies b ON b.task_execution_id = te.id
LEFT JOIN flow_executions fe ON fe.id = te.flow_execution_id
WHERE te.organization_id = ? AND te.id = ?

-- name: correct_output
UPDATE task_executions SET output_size = ?, output_sha256 = ?, output_uri = ?, output_preview = ? WHERE id = ?

-- name: correct_summary
UPDATE task_executions SET summary_json = ? WHERE id = ?

-- name: output_changed
UPDATE task_executions SET version = version + 1, modified_by = ?, updated_at = ? WHERE id = ?

-- name: output_fresh
UPDATE task_executions SET stale_since = NULL WHERE id = ? AND stale_since IS NOT NULL

-- name: forget_tags
DELETE FROM tags WHERE task_execution_id = ?

-- name: remove_tag
DELETE FROM tags WHERE task_execution_id = ? AND key = ?

-- name: set_tag
INSERT INTO tags (organization_id, task_execution_id, key, value, task_execution_seq) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (task_execution_id, key) DO UPDATE SET value = excluded.value

-- name: delete_output
UPDATE task_executions SET deleted_at = ?, updated_at = ?, deleted_with_execution = 0 WHERE id = ? AND deleted_at IS NULL

-- name: restore_output
UPDATE task_executions SET deleted_at = NULL, updated_at = ?, deleted_with_execution = 0
WHERE id = ? AND deleted_at IS NOT NULL

-- name: execution_to_change
SELECT namespace, flow_id, flow_revision, state, deleted_at FROM flow_executions WHERE organization_id = ? AND id = ?

-- name: delete_execution
UPDATE flow_executions SET deleted_at = ? WHERE id = ?

-- name: delete_outputs_of
UPDATE task_executions SET deleted_at = ?, updated_at = ?, deleted_with_execution = 1
WHERE organization_id = ? AND flow_execution_id = ? AND deleted_at IS NULL

-- name: restore_outputs_of
UPDATE task_executions SET deleted_at = NULL, updated_at = ?, deleted_with_execution = 0
WHERE organization_id = ? AND flow_execution_id = ? AND deleted_with_execution = 1

-- name: is_task_of_engine
SELECT 1 FROM task_executions WHERE flow_execution_id = ? AND task_name = ? AND turn >= 0 LIMIT 1

-- name: next_external_turn
SELECT coalesce(min(turn), 0) - 1 FROM task_executions
WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? AND turn < 0

-- name: insert_external
INSERT INTO task_executions (id, organization_id, flow_execution_id, namespace, flow_id, flow_revision, task_name, type,
  path_json, turn, value, state, history_json, attempts_json, error, summary_json, output_size, output_sha256,
  output_uri, output_preview, version, modified_by, created_at, updated_at, ended_at)
VALUES (?, ?, ?, ?, ?, ?, ?, 'external', ?, ?, ?, ?, ?, '[]', ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?) RETURNING seq

-- name: external_of
SELECT * FROM task_executions WHERE organization_id = ? AND flow_execution_id = ? AND turn < 0 ORDER BY seq

-- name: done_once
SELECT request_hash, response_json FROM idempotency_keys WHERE organization_id = ? AND key = ?

-- name: do_once
INSERT INTO idempotency_keys (organization_id, key, request_hash, response_json, created_at) VALUES (?, ?, ?, ?, ?)

-- name: keep_task_inserts
CREATE TRIGGER IF NOT EXISTS events_of_new_tasks AFTER INSERT ON task_executions BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, NEW.updated_at, 'task_execution', NEW.id, NEW.flow_execution_id, NEW.task_name, NEW.state,
    CASE WHEN NEW.deleted_at IS NOT NULL THEN 'deleted' WHEN NEW.stale_since IS NOT NULL THEN 'stale'
      WHEN NEW.state IN ('CREATED', 'QUEUED') THEN 'queued'
      WHEN NEW.state IN ('SUCCESS', 'WARNING', 'SKIPPED') THEN 'completed'
      WHEN NEW.state IN ('FAILED', 'KILLED', 'CANCELLED', 'RETRIED') THEN 'failed' ELSE 'running' END);
END

-- name: keep_task_changes
CREATE TRIGGER IF NOT EXISTS events_of_tasks
AFTER UPDATE OF state, version, stale_since, deleted_at ON task_executions
WHEN OLD.state <> NEW.state OR OLD.version <> NEW.version OR OLD.stale_since IS NOT NEW.stale_since
  OR OLD.deleted_at IS NOT NEW.deleted_at
BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, NEW.updated_at, CASE WHEN OLD.state <> NEW.state THEN 'task_execution' ELSE 'task_output' END,
    NEW.id, NEW.flow_execution_id, NEW.task_name, NEW.state,
    CASE WHEN NEW.deleted_at IS NOT NULL THEN 'deleted' WHEN NEW.stale_since IS NOT NULL THEN 'stale'
      WHEN NEW.state IN ('CREATED', 'QUEUED') THEN 'queued'
      WHEN NEW.state IN ('SUCCESS', 'WARNING', 'SKIPPED') THEN 'completed'
      WHEN NEW.state IN ('FAILED', 'KILLED', 'CANCELLED', 'RETRIED') THEN 'failed' ELSE 'running' END);
END

-- name: keep_execution_inserts
CREATE TRIGGER IF NOT EXISTS events_of_new_executions AFTER INSERT ON flow_executions BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, NEW.created_at, 'flow_execution', NEW.id, NEW.id, '', NEW.state, 'queued');
END

-- name: keep_execution_changes
CREATE TRIGGER IF NOT EXISTS events_of_executions AFTER UPDATE OF state, deleted_at ON flow_executions
WHEN OLD.state <> NEW.state OR OLD.deleted_at IS NOT NEW.deleted_at
BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, coalesce(NEW.deleted_at, json_extract(NEW.history_json, '$[#-1][1]')), 'flow_execution',
    NEW.id, NEW.id, '', NEW.state,
    CASE WHEN NEW.deleted_at IS NOT NULL THEN 'deleted' WHEN NEW.state IN ('CREATED', 'QUEUED') THEN 'queued'
      WHEN NEW.state IN ('SUCCESS', 'WARNING', 'SKIPPED') THEN 'completed'
      WHEN NEW.state IN ('FAILED', 'KILLED', 'CANCELLED', 'RETRIED') THEN 'failed' ELSE 'running' END);
END

-- name: keep_newest_events
CREATE TRIGGER IF NOT EXISTS events_kept AFTER INSERT ON events WHEN NEW.seq % 1000 = 0 BEGIN
  DELETE FROM events WHERE seq <= NEW.seq - 200000;
END

-- name: events
SELECT seq, at, kind, id, flow_execution_id, name, state, status FROM events
WHERE organization_id = ? AND seq > ? ORDER BY seq LIMIT ?

-- name: last_event
SELECT coalesce(max(seq), 0) FROM events WHERE organization_id = ?

-- name: insert_audit
INSERT INTO audit (organization_id, at, actor, action, subject, before_json, after_json) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: organizations
SELECT id, name, created_at FROM organizations ORDER BY id

-- name: insert_organization
INSERT INTO organizations (id, name, created_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING

-- name: organization
SELECT 1 FROM organizations WHERE id = ?

-- name: insert_api_key
INSERT INTO api_keys (id, organization_id, name, role, hash, created_at, expires_at, revoked_at, last_used_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: api_key
SELECT id, organization_id, name, role, created_at, expires_at, revoked_at, last_used_at FROM api_keys WHERE hash = ?

-- name: api_keys
SELECT id, organization_id, name, role, created_at, expires_at, revoked_at, last_used_at FROM api_keys
WHERE organization_id = ? ORDER BY seq

-- name: has_api_keys
SELECT 1 FROM api_keys WHERE revoked_at IS NULL LIMIT 1

-- name: revoke_api_key
UPDATE api_keys SET revoked_at = ? WHERE organization_id = ? AND id = ? AND revoked_at IS NULL

-- name: api_key_used
UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)

-- name: insert_session
INSERT INTO sessions (organization_id, hash, api_key_id, created_at, expires_at)
VALUES ((SELECT organization_id FROM api_keys WHERE id = ?), ?, ?, ?, ?)

-- name: session
SELECT k.id, k.organization_id, k.name, k.role, k.created_at, k.expires_at, k.revoked_at, k.last_used_at, s.expires_at
FROM sessions s JOIN api_keys k ON k.id = s.api_key_id WHERE s.hash = ?

-- name: end_session
DELETE FROM sessions WHERE api_key_id = ? AND hash = ?

-- name: forget_sessions
DELETE FROM sessions WHERE expires_at <= ?
