-- Task outputs as a product: lists that stay fast with millions of rows, what people change, who may, the feed.

-- Every list is newest first, by `seq`: an index serves it when `seq` follows the column that is asked for. Each tree
-- that a task is written into costs its commit some microseconds. So the index by state holds only what is rare among
-- rows that have ended; the rows of a namespace, or of a flow in all of them, are merged of the flows there are
-- (`flow_places`).
CREATE INDEX task_executions_newest ON task_executions (organization_id, seq);
CREATE INDEX task_executions_by_execution ON task_executions (flow_execution_id, seq);
CREATE INDEX task_executions_by_state ON task_executions (organization_id, state, seq) WHERE state <> 'SUCCESS';
CREATE INDEX task_executions_stale ON task_executions (organization_id, seq) WHERE stale_since IS NOT NULL;
CREATE INDEX task_executions_deleted ON task_executions (organization_id, seq) WHERE deleted_at IS NOT NULL;
CREATE INDEX task_executions_modified ON task_executions (organization_id, modified_by, seq)
  WHERE modified_by <> 'system';
CREATE INDEX flow_executions_newest ON flow_executions (organization_id, seq);
CREATE INDEX flow_executions_by_state ON flow_executions (organization_id, state, seq) WHERE state <> 'SUCCESS';
CREATE INDEX flow_executions_deleted ON flow_executions (organization_id, seq) WHERE deleted_at IS NOT NULL;
CREATE INDEX tags_by_key ON tags (organization_id, key, task_execution_seq);
CREATE INDEX labels_by_key ON labels (organization_id, key, execution_seq);
CREATE INDEX summary_values_by_value ON summary_values (organization_id, path, text, number, task_execution_seq);

-- Which flows ever had an execution.
CREATE TABLE flow_places (
  organization_id TEXT NOT NULL, namespace TEXT NOT NULL, flow_id TEXT NOT NULL,
  PRIMARY KEY (organization_id, namespace, flow_id)
) WITHOUT ROWID;
CREATE INDEX flow_places_by_flow ON flow_places (organization_id, flow_id);
INSERT INTO flow_places SELECT DISTINCT organization_id, namespace, flow_id FROM flow_executions;
CREATE TRIGGER flow_executions_placed AFTER INSERT ON flow_executions BEGIN
  INSERT OR IGNORE INTO flow_places VALUES (NEW.organization_id, NEW.namespace, NEW.flow_id);
END;

-- Outputs of outside workers are of the type `external`, and their turns are below 0 (-1 is the first one): they meet
-- no key of the engine. Rows of an execution that was deleted go and come back with it, but for those deleted before.
ALTER TABLE task_executions ADD COLUMN deleted_with_execution INTEGER NOT NULL DEFAULT 0;

-- From when to when the rows of 1 024 consecutive `seq` are, of one organization: dates say nothing about the order of
-- rows (clocks are not trusted), but a list by dates passes over the blocks that can't have any. A block is here once
-- the one above it has begun; one without rows of an organization is not here for it.
CREATE TABLE time_spans (
  rows_of TEXT NOT NULL, organization_id TEXT NOT NULL, block INTEGER NOT NULL, created_from INTEGER NOT NULL,
  created_to INTEGER NOT NULL, updated_from INTEGER NOT NULL, updated_to INTEGER NOT NULL,
  PRIMARY KEY (rows_of, organization_id, block)
) WITHOUT ROWID;
INSERT INTO time_spans
SELECT 'task_executions', organization_id, seq / 1024, min(created_at), max(created_at), min(updated_at),
  max(updated_at) FROM task_executions
WHERE seq / 1024 < (SELECT max(seq) / 1024 FROM task_executions) GROUP BY organization_id, seq / 1024;
INSERT INTO time_spans
SELECT 'flow_executions', organization_id, seq / 1024, min(created_at), max(created_at), 0, 0 FROM flow_executions
WHERE seq / 1024 < (SELECT max(seq) / 1024 FROM flow_executions) GROUP BY organization_id, seq / 1024;
CREATE TRIGGER task_executions_spanned AFTER INSERT ON task_executions WHEN NEW.seq % 1024 = 0 BEGIN
  INSERT OR REPLACE INTO time_spans
  SELECT 'task_executions', organization_id, NEW.seq / 1024 - 1, min(created_at), max(created_at), min(updated_at),
    max(updated_at) FROM task_executions
  WHERE seq >= NEW.seq - 1024 AND seq < NEW.seq GROUP BY organization_id;
END;
CREATE TRIGGER task_executions_moved AFTER UPDATE OF updated_at ON task_executions BEGIN
  UPDATE time_spans SET updated_to = NEW.updated_at WHERE rows_of = 'task_executions'
    AND organization_id = NEW.organization_id AND block = NEW.seq / 1024 AND updated_to < NEW.updated_at;
END;
CREATE TRIGGER flow_executions_spanned AFTER INSERT ON flow_executions WHEN NEW.seq % 1024 = 0 BEGIN
  INSERT OR REPLACE INTO time_spans
  SELECT 'flow_executions', organization_id, NEW.seq / 1024 - 1, min(created_at), max(created_at), 0, 0
  FROM flow_executions WHERE seq >= NEW.seq - 1024 AND seq < NEW.seq GROUP BY organization_id;
END;

-- Nothing was written into these two before.
DROP TABLE api_keys;
DROP TABLE audit;
-- Who may: `hash` is the sha256 of a key's secret.
CREATE TABLE api_keys (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')), hash TEXT NOT NULL UNIQUE,
  created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER
);
CREATE INDEX api_keys_of ON api_keys (organization_id, seq);
-- Who did what: `before_json` and `after_json` as far as they are small.
CREATE TABLE audit (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL,
  action TEXT NOT NULL, subject TEXT NOT NULL, before_json TEXT NOT NULL, after_json TEXT NOT NULL
);
CREATE INDEX audit_newest ON audit (organization_id, seq);
CREATE INDEX audit_by_subject ON audit (organization_id, subject, seq);

-- The feed: the newest 200 000 things that were committed since somebody asked for them to be kept.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY, organization_id TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
  flow_execution_id TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, status TEXT NOT NULL
);
CREATE INDEX events_in_order ON events (organization_id, seq);
