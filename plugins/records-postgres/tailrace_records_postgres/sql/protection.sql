-- Who may what, made anew by each `records init` and `migrate`: {engine} is the role that engines and servers connect as,
-- {finder} that of the functions that look across organizations; nobody connects as it.
--
-- Row-level security is forced on every table: a row is there for its organization, which a transaction names in
-- `tailrace.organization`; the engine's role owns nothing and can't set it aside.
-- The rule is a call of `textne`, not `=`, so that no index is chosen for its sake: the planner, without statistics at
-- first, would take any index that begins with the organization for one by id, and keep to it while the table grows.
-- (Both are leakproof, and it thinks of NOT as true for two rows of three.)

DO $$
DECLARE
  one RECORD;
  rule TEXT;
  named CONSTANT TEXT := '(SELECT current_setting(''tailrace.organization'', true))';
BEGIN
  FOR one IN
    SELECT c.oid, c.relname AS name,
      (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
        AND a.attname = CASE WHEN c.relname = 'organizations' THEN 'id' ELSE 'organization_id' END) AS owner
    FROM pg_class c WHERE c.relnamespace = 'tailrace'::regnamespace AND c.relkind IN ('r', 'p')
  LOOP
    rule := CASE WHEN one.owner IS NULL THEN named || ' <> ''''' ELSE format('NOT textne(%I, %s)', one.owner, named) END;
    EXECUTE format('ALTER TABLE tailrace.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', one.name);
    EXECUTE format('DROP POLICY IF EXISTS named ON tailrace.%I', one.name);
    EXECUTE format('CREATE POLICY named ON tailrace.%I USING (%s) WITH CHECK (%s)', one.name, rule, rule);
    EXECUTE format('DROP POLICY IF EXISTS found ON tailrace.%I', one.name);
    EXECUTE format('REVOKE ALL ON tailrace.%I FROM PUBLIC, {engine}, {finder}', one.name);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON tailrace.%I TO {engine}', one.name);
  END LOOP;
END $$;

-- What was done stays on record, and the schema is not the engine's.
REVOKE UPDATE, DELETE ON audit FROM {engine};
REVOKE INSERT, UPDATE, DELETE ON schema_version FROM {engine};
REVOKE UPDATE, DELETE ON organizations FROM {engine};

CREATE POLICY found ON flow_executions FOR SELECT TO {finder} USING (true);
CREATE POLICY found ON task_executions FOR SELECT TO {finder} USING (true);
CREATE POLICY found ON inbox FOR SELECT TO {finder} USING (true);
CREATE POLICY found ON organizations FOR SELECT TO {finder} USING (true);
CREATE POLICY found ON api_keys FOR SELECT TO {finder} USING (true);
CREATE POLICY found ON sessions FOR SELECT TO {finder} USING (true);
GRANT SELECT (id, organization_id, parent_task_execution_id, engine_id, state, due_at, ended_at, deleted_at, counters_json)
  ON flow_executions TO {finder};
GRANT SELECT (id, organization_id, flow_execution_id, due_at, ended_at) ON task_executions TO {finder};
GRANT SELECT (seq, flow_execution_id, kind, sent_at, done_at) ON inbox TO {finder};
GRANT SELECT (id, name, created_at) ON organizations TO {finder};
GRANT SELECT (id, organization_id, name, role, hash, created_at, expires_at, revoked_at, last_used_at)
  ON api_keys TO {finder};
GRANT SELECT (hash, api_key_id, expires_at) ON sessions TO {finder};

REVOKE ALL ON SCHEMA tailrace FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA tailrace FROM PUBLIC;
GRANT USAGE ON SCHEMA tailrace TO {engine}, {finder};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA tailrace TO {engine}, {finder};
