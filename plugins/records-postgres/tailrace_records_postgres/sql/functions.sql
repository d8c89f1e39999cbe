-- Functions and triggers, made anew by each `records init` and `migrate`.

-- What SQLite calls by these names, so that statements of the core mean the same here.
CREATE OR REPLACE FUNCTION json_each(document TEXT) RETURNS TABLE (value TEXT) LANGUAGE sql IMMUTABLE
  AS $$ SELECT json_array_elements_text($1::json) $$;
CREATE OR REPLACE FUNCTION json_extract(document TEXT, path TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE
  AS $$ SELECT jsonb_path_query_first($1::jsonb, $2::jsonpath) #>> '{}' $$;
CREATE OR REPLACE FUNCTION max(one BIGINT, other BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE
  AS $$ SELECT greatest($1, $2) $$;

-- Lists in a text of JSON: with one more at the end, and the last one of the attempts with another end.
CREATE OR REPLACE FUNCTION appended(list TEXT, item TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN $2 IS NULL THEN $1 WHEN $1 = '[]' THEN '[' || $2 || ']'
    ELSE left($1, length($1) - 1) || ',' || $2 || ']' END
$$;
CREATE OR REPLACE FUNCTION last_replaced(list TEXT, item TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT '[' || string_agg(CASE WHEN place = count THEN $2 ELSE one::text END, ',' ORDER BY place) || ']'
  FROM (SELECT one, place, count(*) OVER () AS count FROM json_array_elements($1::json) WITH ORDINALITY AS e (one, place)) AS all_of
$$;
-- U+0000 has a stand-in in texts (marks.py); in JSON it has an escape of its own.
CREATE OR REPLACE FUNCTION as_json(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE
  AS $$ SELECT replace(to_json($1)::text, U&'\FDD0\FDD1', '\u0000') $$;
CREATE OR REPLACE FUNCTION ended_attempt(attempts TEXT, state TEXT, started BIGINT, ended BIGINT, error TEXT)
RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
  SELECT last_replaced($1, '[' || (one -> 0)::text || ',' || (one -> 1)::text || ',' || as_json($2) || ','
    || coalesce($3::text, (one -> 3)::text) || ',' || coalesce($4::text, 'null')
    || coalesce(',' || as_json($5), '') || ']')
  FROM (SELECT $1::json -> -1 AS one) AS last
$$;

-- Whose something is: all that is told about it.
CREATE OR REPLACE FUNCTION organization_of_execution(id TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, tailrace, pg_temp
  AS $$ SELECT e.organization_id FROM flow_executions e WHERE e.id = $1 $$;
CREATE OR REPLACE FUNCTION organization_of_task(id TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, tailrace, pg_temp
AS $$
  SELECT coalesce((SELECT t.organization_id FROM task_executions t WHERE t.id = $1),
    (SELECT e.organization_id FROM flow_executions e WHERE e.parent_task_execution_id = $1 LIMIT 1))
$$;
CREATE OR REPLACE FUNCTION organization_of_key(id TEXT) RETURNS TEXT
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, tailrace, pg_temp
  AS $$ SELECT k.organization_id FROM api_keys k WHERE k.id = $1 $$;

CREATE OR REPLACE FUNCTION organizations_owned_by(engine TEXT) RETURNS TABLE (organization_id TEXT)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, tailrace, pg_temp
  AS $$ SELECT DISTINCT e.organization_id FROM flow_executions e WHERE e.engine_id = $1 $$;

-- The feed: the newest 200 000 things that were committed.
CREATE OR REPLACE FUNCTION status_of(state TEXT, deleted_at BIGINT, stale_since BIGINT) RETURNS TEXT
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN $2 IS NOT NULL THEN 'deleted' WHEN $3 IS NOT NULL THEN 'stale'
    WHEN $1 IN ('CREATED', 'QUEUED') THEN 'queued' WHEN $1 IN ('SUCCESS', 'WARNING', 'SKIPPED') THEN 'completed'
    WHEN $1 IN ('FAILED', 'KILLED', 'CANCELLED', 'RETRIED') THEN 'failed' ELSE 'running' END
$$;
CREATE OR REPLACE FUNCTION task_event() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, NEW.updated_at,
    CASE WHEN TG_OP = 'INSERT' THEN 'task_execution' WHEN OLD.state <> NEW.state THEN 'task_execution'
      ELSE 'task_output' END,
    NEW.id, NEW.flow_execution_id, NEW.task_name, NEW.state,
    status_of(NEW.state, NEW.deleted_at, NEW.stale_since));
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION execution_event() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO events (organization_id, at, kind, id, flow_execution_id, name, state, status)
  VALUES (NEW.organization_id, coalesce(NEW.deleted_at, (NEW.history_json::json -> -1 ->> 1)::bigint),
    'flow_execution', NEW.id, NEW.id, '', NEW.state, status_of(NEW.state, NEW.deleted_at, NULL));
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION keep_newest_events() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM events WHERE organization_id = NEW.organization_id AND seq <= NEW.seq - 200000;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER events_of_new AFTER INSERT ON task_executions FOR EACH ROW EXECUTE FUNCTION task_event();
CREATE OR REPLACE TRIGGER events_of_changed AFTER UPDATE OF state, version, stale_since, deleted_at ON task_executions
  FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.version <> NEW.version
    OR OLD.stale_since IS DISTINCT FROM NEW.stale_since OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
  EXECUTE FUNCTION task_event();
CREATE OR REPLACE TRIGGER events_of_new AFTER INSERT ON flow_executions
  FOR EACH ROW EXECUTE FUNCTION execution_event();
CREATE OR REPLACE TRIGGER events_of_changed AFTER UPDATE OF state, deleted_at ON flow_executions
  FOR EACH ROW WHEN (OLD.state <> NEW.state OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
  EXECUTE FUNCTION execution_event();
CREATE OR REPLACE TRIGGER events_kept AFTER INSERT ON events
  FOR EACH ROW WHEN (NEW.seq % 1000 = 0) EXECUTE FUNCTION keep_newest_events();

CREATE OR REPLACE FUNCTION flow_place() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO flow_places VALUES (NEW.organization_id, NEW.namespace, NEW.flow_id) ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER placed AFTER INSERT ON flow_executions FOR EACH ROW EXECUTE FUNCTION flow_place();

-- From when to when the rows of a block of an organization are, once it has a row above that block.
CREATE OR REPLACE FUNCTION block_ended() RETURNS TRIGGER LANGUAGE plpgsql AS $$
DECLARE ended BIGINT;
BEGIN
  IF TG_TABLE_NAME = 'task_executions' THEN
    SELECT seq / 1024 INTO ended FROM task_executions
      WHERE organization_id = NEW.organization_id AND seq < NEW.seq ORDER BY seq DESC LIMIT 1;
    IF ended < NEW.seq / 1024 THEN
      PERFORM span_of_tasks(NEW.organization_id, ended, ended);
    END IF;
  ELSE
    SELECT seq / 1024 INTO ended FROM flow_executions
      WHERE organization_id = NEW.organization_id AND seq < NEW.seq ORDER BY seq DESC LIMIT 1;
    IF ended < NEW.seq / 1024 THEN
      PERFORM span_of_executions(NEW.organization_id, ended, ended);
    END IF;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION span_of_tasks(of TEXT, first BIGINT, last BIGINT) RETURNS VOID LANGUAGE sql AS $$
  INSERT INTO time_spans
  SELECT 'task_executions', organization_id, seq / 1024, min(created_at), max(created_at), min(updated_at),
    max(updated_at) FROM task_executions
  WHERE organization_id = $1 AND seq >= $2 * 1024 AND seq < ($3 + 1) * 1024 GROUP BY organization_id, seq / 1024
  ON CONFLICT (rows_of, organization_id, block) DO UPDATE SET created_from = excluded.created_from,
    created_to = excluded.created_to, updated_from = excluded.updated_from, updated_to = excluded.updated_to
$$;
CREATE OR REPLACE FUNCTION span_of_executions(of TEXT, first BIGINT, last BIGINT) RETURNS VOID LANGUAGE sql AS $$
  INSERT INTO time_spans
  SELECT 'flow_executions', organization_id, seq / 1024, min(created_at), max(created_at), 0, 0 FROM flow_executions
  WHERE organization_id = $1 AND seq >= $2 * 1024 AND seq < ($3 + 1) * 1024 GROUP BY organization_id, seq / 1024
  ON CONFLICT (rows_of, organization_id, block) DO UPDATE SET created_from = excluded.created_from,
    created_to = excluded.created_to
$$;
CREATE OR REPLACE FUNCTION span_moved() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  UPDATE time_spans SET updated_to = NEW.updated_at WHERE rows_of = 'task_executions'
    AND organization_id = NEW.organization_id AND block = NEW.seq / 1024 AND updated_to < NEW.updated_at;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER spanned AFTER INSERT ON task_executions FOR EACH ROW EXECUTE FUNCTION block_ended();
CREATE OR REPLACE TRIGGER spanned AFTER INSERT ON flow_executions FOR EACH ROW EXECUTE FUNCTION block_ended();
CREATE OR REPLACE TRIGGER span_moved AFTER UPDATE OF updated_at ON task_executions
  FOR EACH ROW WHEN (OLD.updated_at <> NEW.updated_at) EXECUTE FUNCTION span_moved();

-- Whoever waits for messages or for a free slot is woken by the commit; engines know their own words by `writer`.
CREATE OR REPLACE FUNCTION wake() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('tailrace', current_setting('tailrace.writer', true));
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER wakes AFTER INSERT ON inbox FOR EACH STATEMENT EXECUTE FUNCTION wake();
CREATE OR REPLACE TRIGGER wakes AFTER UPDATE OF ended_at ON flow_executions
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION wake();
