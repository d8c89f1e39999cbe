-- What people see of many rows at once.

-- In the order of the names that the index has them in, so that 100 000 rows of a loop need no sorting.
-- name: outline_of
SELECT task_name, count(*), min(seq), max(seq), max(ended_at), sum(output_size) FROM task_executions
WHERE flow_execution_id = (SELECT id FROM flow_executions WHERE organization_id || '' = ? AND id = ?) AND turn >= 0
GROUP BY task_name

-- What is rare, as far as it lies among the rows of the execution.
-- name: outline_of_others
SELECT task_name, state, count(*), max(seq) FROM task_executions INDEXED BY task_executions_by_state
WHERE organization_id = ? AND state <> 'SUCCESS' AND state IN ('CREATED', 'QUEUED', 'RUNNING', 'PAUSED', 'RETRYING',
    'RETRIED', 'RESTARTED', 'KILLING', 'WARNING', 'FAILED', 'KILLED', 'CANCELLED', 'SKIPPED')
  AND seq >= ? AND seq <= ? AND flow_execution_id = ? AND turn >= 0
GROUP BY task_name, state

-- name: first_that_ran
SELECT history_json FROM task_executions INDEXED BY task_executions_by_execution
WHERE flow_execution_id = ? AND seq >= ? AND seq <= ? AND task_name = ? AND turn >= 0
  AND state NOT IN ('CREATED', 'QUEUED', 'SKIPPED') ORDER BY seq LIMIT 1

-- name: reads_by
SELECT what, of_task_execution FROM reads WHERE flow_execution_id = ? AND reader = ? ORDER BY what LIMIT ?

-- Those of evaluations: their readers begin with the place of the task.
-- name: reads_by_place
SELECT reader, what, of_task_execution FROM reads
WHERE flow_execution_id = ? AND reader >= ? AND reader < ? ORDER BY reader, what LIMIT ?

-- name: reads_of_task
SELECT reader, what FROM reads WHERE flow_execution_id = ? AND of_task_execution IN (?, ?) LIMIT ?

-- name: tags_of_tasks
SELECT t.task_execution_id, t.key, t.value FROM task_executions te JOIN tags t ON t.task_execution_id = te.id
WHERE te.organization_id = ? AND te.flow_execution_id = ? ORDER BY t.key

-- name: some_of_task
SELECT id, value FROM task_executions WHERE flow_execution_id = ? AND task_name = ? LIMIT ?

-- name: a_path_of_task
SELECT path_json FROM task_executions WHERE flow_execution_id = ? AND task_name = ? LIMIT 1

-- name: newest_at
SELECT id, value FROM task_executions
WHERE flow_execution_id = ? AND task_name = ? AND path_json = ? ORDER BY turn DESC LIMIT 1

-- name: numeric_paths
SELECT path, count(*), max(task_execution_id) FROM summary_values
WHERE task_execution_id IN (SELECT value FROM json_each(?)) AND text IS NULL AND number IS NOT NULL
GROUP BY path ORDER BY count(*) DESC, path LIMIT ?

-- name: numbers_at
SELECT task_execution_id, number FROM summary_values
WHERE task_execution_id IN (SELECT value FROM json_each(?)) AND path = ? AND text IS NULL AND number IS NOT NULL
