-- What waits for a time is found without its owner: an execution where nothing runs has none.

CREATE INDEX task_executions_due ON task_executions (due_at) WHERE due_at IS NOT NULL;
