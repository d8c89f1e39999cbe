-- The record of everything: who ran what, what came out, and what was read to make it.
--
-- Every row has `seq`, given under the write lock: it orders lists, pages and feeds. `id` (UUIDv7) only names.
-- What is only ever asked for by execution (logs, metrics, reads) lies in one tree, in that order: a commit of a
-- small task costs what the trees it touches cost.
-- Times are microseconds since 1970-01-01 UTC. `*_json` columns hold the codec's text (core/model/codec.py).
-- Every row but the work queue's (`inbox`, `engines`) carries its organization.

CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL);

CREATE TABLE organizations (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, created_at INTEGER NOT NULL
);
CREATE TABLE api_keys (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE, scopes_json TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER
);
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL,
  action TEXT NOT NULL, subject TEXT NOT NULL, details_json TEXT NOT NULL
);

-- A revision of a flow; a save of the same text makes no new one. `local`: it came from a file that was run.
CREATE TABLE flows (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, namespace TEXT NOT NULL, flow_id TEXT NOT NULL,
  revision INTEGER NOT NULL, source TEXT NOT NULL, source_hash TEXT NOT NULL, local INTEGER NOT NULL,
  created_at INTEGER NOT NULL, deleted_at INTEGER,
  UNIQUE (organization_id, namespace, flow_id, revision)
);
CREATE TABLE namespace_files (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, namespace TEXT NOT NULL, path TEXT NOT NULL,
  uri TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, updated_at INTEGER NOT NULL,
  UNIQUE (organization_id, namespace, path)
);

-- One run of a flow. `engine_id` owns it (NULL: nothing runs, anybody may claim it), `fence` grows with each
-- take-over, `takeovers` counts those without a decision in between. `counters_json` is the cursor of the root,
-- `variables_json` is NULL until a task changes the flow's variables.
-- A child execution names the Call that made it: its task execution, key, attempt, and the child's number. A derived
-- one (a retry, a replay) names its original; a retry keeps in `original_created_at` when the first of them was made.
CREATE TABLE flow_executions (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, organization_id TEXT NOT NULL,
  namespace TEXT NOT NULL, flow_id TEXT NOT NULL, flow_revision INTEGER NOT NULL,
  state TEXT NOT NULL, history_json TEXT NOT NULL, counters_json TEXT NOT NULL,
  inputs_json TEXT NOT NULL, outputs_json TEXT, variables_json TEXT, trigger_json TEXT, error TEXT,
  parent_execution_id TEXT, parent_task_execution_id TEXT, parent_task TEXT, parent_attempt INTEGER,
  parent_waits INTEGER, child_index INTEGER,
  original_id TEXT, original_created_at INTEGER, attempt_number INTEGER NOT NULL DEFAULT 1,
  engine_id TEXT, fence INTEGER NOT NULL DEFAULT 0, takeovers INTEGER NOT NULL DEFAULT 0,
  due_at INTEGER, created_at INTEGER NOT NULL, started_at INTEGER, ended_at INTEGER, deleted_at INTEGER
);
CREATE INDEX flow_executions_by_flow ON flow_executions (organization_id, namespace, flow_id, seq);
CREATE INDEX flow_executions_owned ON flow_executions (engine_id) WHERE engine_id IS NOT NULL;
CREATE INDEX flow_executions_open ON flow_executions (organization_id, namespace, flow_id, seq) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX flow_executions_by_parent
  ON flow_executions (parent_task_execution_id, child_index, parent_attempt, attempt_number)
  WHERE parent_task_execution_id IS NOT NULL;

-- One run of one task in one flow execution: the task execution and the task output are this same row.
-- `copied_from`: the task execution that a derived execution kept. `due_at`: what an open one waits for.
-- `log_files_json`: [attempt, URI] of files with log lines. `wait_state`: what its attempt gave when it began to wait.
-- `properties_json`: as they were rendered for the last attempt that failed, secrets hidden.
CREATE TABLE task_executions (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, organization_id TEXT NOT NULL,
  flow_execution_id TEXT NOT NULL, namespace TEXT NOT NULL, flow_id TEXT NOT NULL, flow_revision INTEGER NOT NULL,
  task_name TEXT NOT NULL, type TEXT NOT NULL, path_json TEXT NOT NULL, turn INTEGER NOT NULL, value TEXT,
  parent_id TEXT, state TEXT NOT NULL, history_json TEXT NOT NULL, attempts_json TEXT NOT NULL, counters_json TEXT,
  error TEXT, note TEXT, properties_hash TEXT, properties_json TEXT,
  summary_json TEXT, output_size INTEGER, output_sha256 TEXT, output_uri TEXT, output_preview TEXT,
  version INTEGER NOT NULL DEFAULT 0, modified_by TEXT NOT NULL DEFAULT 'system',
  iteration INTEGER, due_at INTEGER, wait_state TEXT, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, ended_at INTEGER,
  stale_since INTEGER, deleted_at INTEGER, copied_from TEXT,
  log_files_json TEXT,
  UNIQUE (flow_execution_id, task_name, path_json, turn)
);
CREATE INDEX task_executions_by_task ON task_executions (organization_id, task_name, seq);
CREATE INDEX task_executions_by_flow ON task_executions (organization_id, namespace, flow_id, seq);

-- Bodies apart from rows, so that no listing touches them; above the inline limit the body is a stored file.
CREATE TABLE task_output_bodies (
  task_execution_id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;

-- What the planner asked of the world and was told; one key is evaluated once. `task_name` '' is the flow itself.
CREATE TABLE evaluations (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, flow_execution_id TEXT NOT NULL,
  task_name TEXT NOT NULL, path_json TEXT NOT NULL, turn INTEGER NOT NULL, purpose TEXT NOT NULL, round INTEGER NOT NULL,
  value_json TEXT, error TEXT, at INTEGER NOT NULL,
  UNIQUE (flow_execution_id, task_name, path_json, turn, purpose, round)
);
-- Who read what: `reader` is a task execution's id or an evaluation's 'execution/task/purpose/round', the values of
-- loops following the task. `of_task_execution` '*task': any of that task. What depends on an output is found among
-- the reads of its execution.
CREATE TABLE reads (
  organization_id TEXT NOT NULL, flow_execution_id TEXT NOT NULL, reader TEXT NOT NULL,
  what TEXT NOT NULL, of_task_execution TEXT, version INTEGER,
  PRIMARY KEY (flow_execution_id, reader, what)
) WITHOUT ROWID;

-- Everything that happens to an execution from outside; only its owner reads, and marks it done with its decision.
CREATE TABLE inbox (
  seq INTEGER PRIMARY KEY, flow_execution_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN
    ('start', 'kill', 'pause', 'resume', 'restart', 'force_run', 'end', 'change_state', 'child_ended', 'slot_free',
     'output_corrected', 'due')),
  payload_json TEXT NOT NULL, sent_at INTEGER NOT NULL, done_at INTEGER
);
CREATE INDEX inbox_unread ON inbox (flow_execution_id, seq) WHERE done_at IS NULL;
-- Processes that decide. Alive: holds the OS lock engines/<id>.lock, and `beat` moves.
CREATE TABLE engines (id TEXT PRIMARY KEY, beat INTEGER NOT NULL, pid INTEGER NOT NULL, started_at INTEGER NOT NULL);

CREATE TABLE labels (
  organization_id TEXT NOT NULL, flow_execution_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  execution_seq INTEGER NOT NULL, PRIMARY KEY (flow_execution_id, key)
) WITHOUT ROWID;
CREATE INDEX labels_by_value ON labels (organization_id, key, value, execution_seq);
CREATE TABLE tags (
  organization_id TEXT NOT NULL, task_execution_id TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
  task_execution_seq INTEGER NOT NULL, PRIMARY KEY (task_execution_id, key)
) WITHOUT ROWID;
CREATE INDEX tags_by_value ON tags (organization_id, key, value, task_execution_seq);
-- The scalars of `summary` (at most 32 an output), so that filters use plain indexes.
CREATE TABLE summary_values (
  organization_id TEXT NOT NULL, task_execution_id TEXT NOT NULL, path TEXT NOT NULL, text TEXT, number REAL,
  task_execution_seq INTEGER NOT NULL, PRIMARY KEY (task_execution_id, path)
) WITHOUT ROWID;

CREATE TABLE files (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, uri TEXT NOT NULL, size INTEGER NOT NULL,
  sha256 TEXT NOT NULL, media_type TEXT, created_at INTEGER NOT NULL, UNIQUE (organization_id, uri)
);
-- A file may be read by an execution when a row here names both; a file no row names can be purged.
CREATE TABLE file_uses (
  organization_id TEXT NOT NULL, flow_execution_id TEXT NOT NULL, uri TEXT NOT NULL,
  PRIMARY KEY (flow_execution_id, uri)
) WITHOUT ROWID;
CREATE INDEX file_uses_by_uri ON file_uses (organization_id, uri);
-- Files whose rows went with a commit; their bytes go next, by whoever finds them here.
CREATE TABLE doomed_files (
  organization_id TEXT NOT NULL, uri TEXT NOT NULL, PRIMARY KEY (organization_id, uri)
) WITHOUT ROWID;

-- `seq` of logs and metrics counts within the execution. (A CHECK with IN (…) fills a table of its own each time.)
CREATE TABLE logs (
  flow_execution_id TEXT NOT NULL, seq INTEGER NOT NULL, organization_id TEXT NOT NULL, task_execution_id TEXT,
  task_name TEXT, attempt INTEGER, at INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL,
  PRIMARY KEY (flow_execution_id, seq)
) WITHOUT ROWID;
CREATE TABLE metrics (
  flow_execution_id TEXT NOT NULL, seq INTEGER NOT NULL, organization_id TEXT NOT NULL,
  task_execution_id TEXT NOT NULL, at INTEGER NOT NULL, name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind = 'counter' OR kind = 'timer' OR kind = 'gauge'), value REAL NOT NULL,
  tags_json TEXT NOT NULL,
  PRIMARY KEY (flow_execution_id, seq)
) WITHOUT ROWID;

CREATE TABLE kv (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL,
  value_json TEXT NOT NULL, description TEXT, version INTEGER NOT NULL, expires_at INTEGER,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  UNIQUE (organization_id, namespace, key)
);
-- What tasks with `taskCache` gave, by the hash of what they were given.
CREATE TABLE kept_results (
  organization_id TEXT NOT NULL, key TEXT NOT NULL, result_json TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER, PRIMARY KEY (organization_id, key)
) WITHOUT ROWID;
CREATE INDEX kept_results_by_end ON kept_results (organization_id, expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE triggers (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, namespace TEXT NOT NULL, flow_id TEXT NOT NULL,
  trigger_id TEXT NOT NULL, state_json TEXT NOT NULL, next_at INTEGER, disabled INTEGER NOT NULL,
  UNIQUE (organization_id, namespace, flow_id, trigger_id)
);
CREATE TABLE idempotency_keys (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, key TEXT NOT NULL, request_hash TEXT NOT NULL,
  response_json TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE (organization_id, key)
);

INSERT INTO organizations (id, name, created_at) VALUES ('default', 'default', 0);
