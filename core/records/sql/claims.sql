-- name: owners
SELECT DISTINCT engine_id FROM flow_executions WHERE engine_id IS NOT NULL

-- name: left_by
-- What a dead engine owned: with something left to run, unless it is to begin later, or with an unread message.
SELECT organization_id, id FROM flow_executions e
WHERE engine_id = ? AND deleted_at IS NULL AND (
  ((ended_at IS NULL OR json_extract(counters_json, '$[3]') = 'after') AND coalesce(due_at, 0) <= ?)
  OR EXISTS (SELECT 1 FROM inbox i WHERE i.flow_execution_id = e.id AND i.done_at IS NULL
    AND (e.state <> 'CREATED' OR i.kind NOT IN ('start', 'restart'))))
ORDER BY id LIMIT ?

-- name: with_messages
-- What nobody owns and has an unread message. A new one is left to whoever created it for a while, and one that is to
-- begin later until then; a message more than that of its creation is a reason to claim it.
SELECT e.organization_id, e.id FROM inbox i JOIN flow_executions e ON e.id = i.flow_execution_id
WHERE i.flow_execution_id > '' AND i.done_at IS NULL AND e.engine_id IS NULL AND e.deleted_at IS NULL AND (
  e.state <> 'CREATED' OR i.kind NOT IN ('start', 'restart')
  OR (coalesce(e.due_at, 0) <= ? AND (i.sent_at <= ? OR EXISTS (SELECT 1 FROM inbox o
    WHERE o.flow_execution_id = i.flow_execution_id AND o.done_at IS NULL AND o.seq <> i.seq))))
ORDER BY i.flow_execution_id LIMIT ?

-- name: come_due
-- What nobody owns and has a task whose time has come, unless somebody paused it.
SELECT e.organization_id, e.id FROM task_executions t JOIN flow_executions e ON e.id = t.flow_execution_id
WHERE t.due_at <= ? AND t.ended_at IS NULL AND e.engine_id IS NULL AND e.deleted_at IS NULL
  AND e.state <> 'KILLING' AND NOT (e.state = 'PAUSED' AND coalesce(json_extract(e.counters_json, '$[7]'), '') = 'held')
ORDER BY t.due_at LIMIT ?

-- name: inbox_unread_of
SELECT seq, flow_execution_id, kind, payload_json FROM inbox
WHERE flow_execution_id IN (SELECT value FROM json_each(?)) AND done_at IS NULL ORDER BY seq

-- name: leave_in_order
-- An engine that leaves in order did not die of what it worked on: taking over from it does not count.
UPDATE flow_executions SET takeovers = takeovers - 1 WHERE engine_id = ?
