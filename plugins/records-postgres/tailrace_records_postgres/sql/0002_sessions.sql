-- Browsers that were signed in with an API key: `hash` is the sha256 of the session's token.

CREATE TABLE sessions (
  organization_id WORD NOT NULL, hash WORD PRIMARY KEY, api_key_id WORD NOT NULL, created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_end ON sessions (expires_at);
