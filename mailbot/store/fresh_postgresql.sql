CREATE TABLE cursor (
  folder VARCHAR(500) NOT NULL,
  uidvalidity BIGINT NOT NULL,
  last_uid BIGINT NOT NULL,
  polled_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_cursor PRIMARY KEY (folder)
);

CREATE TABLE seen (
  id BIGSERIAL NOT NULL,
  folder VARCHAR(500) NOT NULL,
  uidvalidity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  verdict VARCHAR(20) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  rules_version VARCHAR(64) NOT NULL,
  seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_seen PRIMARY KEY (id),
  CONSTRAINT uq_seen_folder_uidvalidity_uid UNIQUE (folder, uidvalidity, uid)
);

CREATE TABLE errand (
  id BIGSERIAL NOT NULL,
  hash VARCHAR(64) NOT NULL,
  kind VARCHAR(10) NOT NULL,
  folder VARCHAR(500) NOT NULL,
  uidvalidity BIGINT NOT NULL,
  uid BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_errand PRIMARY KEY (id),
  CONSTRAINT uq_errand_hash_kind UNIQUE (hash, kind),
  CONSTRAINT ck_errand_kind_known CHECK (kind IN ('keyword', 'copy', 'move', 'delete'))
);

CREATE TABLE counter (
  name VARCHAR(40) NOT NULL,
  value INTEGER NOT NULL,
  CONSTRAINT pk_counter PRIMARY KEY (name)
);

CREATE TABLE ticket (
  id BIGSERIAL NOT NULL,
  reference VARCHAR(40) NOT NULL,
  status VARCHAR(20) NOT NULL,
  language VARCHAR(10) NOT NULL,
  channel VARCHAR(10) NOT NULL,
  requester_name TEXT NOT NULL,
  requester_address TEXT NOT NULL,
  postal_address TEXT NOT NULL,
  reply_to TEXT NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
  due_on DATE NOT NULL,
  target_on DATE NOT NULL,
  act_by_on DATE,
  one_month_on DATE NOT NULL,
  provisional BOOLEAN NOT NULL,
  explanations TEXT NOT NULL,
  extended BOOLEAN NOT NULL,
  extension_reason TEXT NOT NULL,
  identified BOOLEAN NOT NULL,
  assigned_to VARCHAR(320) NOT NULL,
  flags TEXT NOT NULL,
  evidence TEXT NOT NULL,
  rules_version VARCHAR(64) NOT NULL,
  authenticity TEXT NOT NULL,
  linked_to BIGINT,
  outside_suspected BOOLEAN NOT NULL,
  outside_denied BOOLEAN NOT NULL,
  hold BOOLEAN NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  ended_at TIMESTAMP WITH TIME ZONE,
  files_purged BOOLEAN NOT NULL,
  purged_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_ticket PRIMARY KEY (id),
  CONSTRAINT ck_ticket_status_known CHECK (status IN ('needs_triage', 'open', 'awaiting_identity', 'awaiting_requester', 'drafted', 'approved', 'answered', 'closed', 'withdrawn', 'dismissed')),
  CONSTRAINT ck_ticket_channel_known CHECK (channel IN ('email', 'letter', 'counter', 'phone')),
  CONSTRAINT uq_ticket_reference UNIQUE (reference),
  CONSTRAINT fk_ticket_linked_to_ticket FOREIGN KEY(linked_to) REFERENCES ticket (id)
);

CREATE TABLE answered_mail (
  id BIGSERIAL NOT NULL,
  address_hash VARCHAR(64) NOT NULL,
  subject_hash VARCHAR(64) NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_answered_mail PRIMARY KEY (id)
);

CREATE TABLE state (
  name VARCHAR(60) NOT NULL,
  value TEXT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_state PRIMARY KEY (name)
);

CREATE TABLE audit (
  seq BIGINT NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  event VARCHAR(60) NOT NULL,
  reference VARCHAR(40) NOT NULL,
  actor VARCHAR(400) NOT NULL,
  detail_digest VARCHAR(64) NOT NULL,
  previous VARCHAR(64) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  CONSTRAINT pk_audit PRIMARY KEY (seq)
);

CREATE TABLE request (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  "right" VARCHAR(30) NOT NULL,
  status VARCHAR(20) NOT NULL,
  outcome VARCHAR(30),
  ground VARCHAR(30),
  CONSTRAINT pk_request PRIMARY KEY (id),
  CONSTRAINT uq_request_ticket_id_right UNIQUE (ticket_id, "right"),
  CONSTRAINT ck_request_status_known CHECK (status IN ('open', 'ended', 'lifted')),
  CONSTRAINT fk_request_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE message (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  direction VARCHAR(3) NOT NULL,
  kind VARCHAR(30) NOT NULL,
  message_id TEXT NOT NULL,
  "references" TEXT NOT NULL,
  from_name TEXT NOT NULL,
  from_address TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  attachments TEXT NOT NULL,
  received_at TIMESTAMP WITH TIME ZONE NOT NULL,
  date_at TIMESTAMP WITH TIME ZONE,
  folder VARCHAR(500) NOT NULL,
  uidvalidity BIGINT,
  uid BIGINT,
  hash VARCHAR(64) NOT NULL,
  flags TEXT NOT NULL,
  raw BYTEA,
  CONSTRAINT pk_message PRIMARY KEY (id),
  CONSTRAINT ck_message_direction_known CHECK (direction IN ('in', 'out')),
  CONSTRAINT fk_message_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE question (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  kind VARCHAR(20) NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
  answered_at TIMESTAMP WITH TIME ZONE,
  counted BOOLEAN NOT NULL,
  CONSTRAINT pk_question PRIMARY KEY (id),
  CONSTRAINT fk_question_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE task (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  kind VARCHAR(20) NOT NULL,
  text TEXT NOT NULL,
  done_at TIMESTAMP WITH TIME ZONE,
  done_by VARCHAR(320) NOT NULL,
  note TEXT NOT NULL,
  CONSTRAINT pk_task PRIMARY KEY (id),
  CONSTRAINT fk_task_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE draft (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  kind VARCHAR(20) NOT NULL,
  version INTEGER NOT NULL,
  state VARCHAR(12) NOT NULL,
  outcome VARCHAR(30),
  outcomes TEXT NOT NULL,
  values TEXT NOT NULL,
  language VARCHAR(10) NOT NULL,
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  text TEXT NOT NULL,
  html TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  "references" TEXT NOT NULL,
  needs TEXT NOT NULL,
  checklist TEXT NOT NULL,
  findings TEXT NOT NULL,
  edited BOOLEAN NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  made_by VARCHAR(320) NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_draft PRIMARY KEY (id),
  CONSTRAINT uq_draft_ticket_id_kind_version UNIQUE (ticket_id, kind, version),
  CONSTRAINT ck_draft_state_known CHECK (state IN ('pending', 'approved', 'rejected', 'superseded')),
  CONSTRAINT fk_draft_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE token (
  id BIGSERIAL NOT NULL,
  hash VARCHAR(64) NOT NULL,
  message_id_hash VARCHAR(64) NOT NULL,
  staff VARCHAR(320) NOT NULL,
  ticket_id BIGINT NOT NULL,
  drafts TEXT NOT NULL,
  asked_outside BOOLEAN NOT NULL,
  last_message BIGINT NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
  used_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_token PRIMARY KEY (id),
  CONSTRAINT uq_token_hash UNIQUE (hash),
  CONSTRAINT fk_token_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE reminder (
  id BIGSERIAL NOT NULL,
  ticket_id BIGINT NOT NULL,
  key VARCHAR(60) NOT NULL,
  sent_at TIMESTAMP WITH TIME ZONE NOT NULL,
  CONSTRAINT pk_reminder PRIMARY KEY (id),
  CONSTRAINT uq_reminder_ticket_id_key UNIQUE (ticket_id, key),
  CONSTRAINT fk_reminder_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE refused_command (
  id BIGSERIAL NOT NULL,
  at TIMESTAMP WITH TIME ZONE NOT NULL,
  why VARCHAR(40) NOT NULL,
  ticket_id BIGINT,
  outside BOOLEAN NOT NULL,
  told_at TIMESTAMP WITH TIME ZONE,
  sender TEXT NOT NULL,
  CONSTRAINT pk_refused_command PRIMARY KEY (id),
  CONSTRAINT fk_refused_command_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id)
);

CREATE TABLE audit_detail (
  seq BIGINT NOT NULL,
  salt VARCHAR(64) NOT NULL,
  text TEXT NOT NULL,
  CONSTRAINT pk_audit_detail PRIMARY KEY (seq),
  CONSTRAINT fk_audit_detail_seq_audit FOREIGN KEY(seq) REFERENCES audit (seq)
);

CREATE TABLE attachment (
  id BIGSERIAL NOT NULL,
  draft_id BIGINT NOT NULL,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 VARCHAR(64) NOT NULL,
  content BYTEA,
  CONSTRAINT pk_attachment PRIMARY KEY (id),
  CONSTRAINT uq_attachment_draft_id_position UNIQUE (draft_id, position),
  CONSTRAINT fk_attachment_draft_id_draft FOREIGN KEY(draft_id) REFERENCES draft (id)
);

CREATE TABLE approval (
  id BIGSERIAL NOT NULL,
  draft_id BIGINT NOT NULL,
  fingerprint VARCHAR(64) NOT NULL,
  staff VARCHAR(320) NOT NULL,
  second VARCHAR(320) NOT NULL,
  door VARCHAR(10) NOT NULL,
  only_first BOOLEAN NOT NULL,
  approved_at TIMESTAMP WITH TIME ZONE NOT NULL,
  withdrawn_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_approval PRIMARY KEY (id),
  CONSTRAINT uq_approval_id_fingerprint_draft_id UNIQUE (id, fingerprint, draft_id),
  CONSTRAINT fk_approval_draft_id_draft FOREIGN KEY(draft_id) REFERENCES draft (id)
);

CREATE TABLE outbox (
  id BIGSERIAL NOT NULL,
  audience VARCHAR(12) NOT NULL,
  kind VARCHAR(30) NOT NULL,
  ticket_id BIGINT,
  draft_id BIGINT,
  approval_id BIGINT,
  fingerprint VARCHAR(64),
  sender TEXT NOT NULL,
  recipient TEXT NOT NULL,
  message_id TEXT NOT NULL,
  message_id_hash VARCHAR(64) NOT NULL,
  raw BYTEA,
  sha256 VARCHAR(64) NOT NULL,
  state VARCHAR(10) NOT NULL,
  attempts INTEGER NOT NULL,
  next_at TIMESTAMP WITH TIME ZONE NOT NULL,
  made_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  CONSTRAINT pk_outbox PRIMARY KEY (id),
  CONSTRAINT ck_outbox_audience_known CHECK (audience IN ('data_subject', 'staff', 'alarm', 'canary')),
  CONSTRAINT ck_outbox_state_known CHECK (state IN ('queued', 'sent', 'failed', 'cancelled')),
  CONSTRAINT ck_outbox_approved CHECK (audience != 'data_subject' OR (approval_id IS NOT NULL AND fingerprint IS NOT NULL AND draft_id IS NOT NULL)),
  CONSTRAINT fk_outbox_ticket_id_ticket FOREIGN KEY(ticket_id) REFERENCES ticket (id),
  CONSTRAINT fk_outbox_draft_id_draft FOREIGN KEY(draft_id) REFERENCES draft (id),
  CONSTRAINT fk_outbox_approval FOREIGN KEY(approval_id, fingerprint, draft_id) REFERENCES approval (id, fingerprint, draft_id)
);

CREATE TABLE attempt (
  id BIGSERIAL NOT NULL,
  outbox_id BIGINT NOT NULL,
  started_at TIMESTAMP WITH TIME ZONE NOT NULL,
  ended_at TIMESTAMP WITH TIME ZONE,
  result VARCHAR(20),
  answer TEXT NOT NULL,
  CONSTRAINT pk_attempt PRIMARY KEY (id),
  CONSTRAINT fk_attempt_outbox_id_outbox FOREIGN KEY(outbox_id) REFERENCES outbox (id)
);

CREATE TABLE alembic_version (
  version_num VARCHAR(32) NOT NULL,
  CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE INDEX ix_answered_mail_address_hash_at ON answered_mail (address_hash, at);

CREATE INDEX ix_approval_draft_id ON approval (draft_id);

CREATE INDEX ix_attempt_outbox_id ON attempt (outbox_id);

CREATE INDEX ix_audit_reference ON audit (reference);

CREATE INDEX ix_message_hash ON message (hash);

CREATE INDEX ix_message_message_id ON message (message_id);

CREATE INDEX ix_message_ticket_id ON message (ticket_id);

CREATE INDEX ix_outbox_message_id_hash ON outbox (message_id_hash);

CREATE INDEX ix_outbox_state_next_at ON outbox (state, next_at);

CREATE INDEX ix_outbox_ticket_id ON outbox (ticket_id);

CREATE INDEX ix_question_ticket_id ON question (ticket_id);

CREATE INDEX ix_seen_hash ON seen (hash);

CREATE INDEX ix_seen_seen_at ON seen (seen_at);

CREATE INDEX ix_task_ticket_id ON task (ticket_id);

CREATE INDEX ix_ticket_person ON ticket (lower(requester_address));

CREATE INDEX ix_ticket_status_due_on ON ticket (status, due_on);

CREATE INDEX ix_token_message_id_hash ON token (message_id_hash);

CREATE INDEX ix_token_ticket_id ON token (ticket_id);
