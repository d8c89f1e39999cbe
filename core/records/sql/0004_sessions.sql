-- Browsers that were signed in with an API key: `hash` is the sha256 of the session's token.

CREATE TABLE sessions (
  organization_id TEXT NOT NULL, hash TEXT PRIMARY KEY, api_key_id TEXT NOT NULL, created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_by_end ON sessions (expires_at);
