CREATE TABLE "access_aggregate" (
	"dataset_id" text NOT NULL,
	"window_start_ms" bigint NOT NULL,
	"window_end_ms" bigint NOT NULL,
	"reads" bigint DEFAULT 0 NOT NULL,
	"writes" bigint DEFAULT 0 NOT NULL,
	"read_bytes" bigint DEFAULT 0 NOT NULL,
	"written_bytes" bigint DEFAULT 0 NOT NULL,
	"last_access_at_ms" bigint NOT NULL,
	CONSTRAINT "access_aggregate_dataset_id_window_start_ms_pk" PRIMARY KEY("dataset_id","window_start_ms")
);
--> statement-breakpoint
CREATE TABLE "access_event" (
	"access_id" text PRIMARY KEY NOT NULL,
	"dataset_id" text NOT NULL,
	"kind" text NOT NULL,
	"count" bigint NOT NULL,
	"bytes" bigint NOT NULL,
	"at_ms" bigint NOT NULL,
	"latency_ms" double precision,
	"source" text NOT NULL,
	"received_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "agent_stream" (
	"node_id" text NOT NULL,
	"incarnation" bigint NOT NULL,
	"watermark" bigint DEFAULT 0 NOT NULL,
	"chain" text NOT NULL,
	"highest_seen" bigint DEFAULT 0 NOT NULL,
	"durable_upto" bigint DEFAULT 0 NOT NULL,
	"last_batch_at_ms" bigint,
	CONSTRAINT "agent_stream_node_id_incarnation_pk" PRIMARY KEY("node_id","incarnation")
);
--> statement-breakpoint
CREATE TABLE "alert" (
	"alert_id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"rule" text NOT NULL,
	"severity" text NOT NULL,
	"text" text NOT NULL,
	"ids" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"since_ms" bigint NOT NULL,
	"ended_at_ms" bigint,
	"times" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "api_key" (
	"key_id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"hash" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"last_used_at_ms" bigint,
	"revoked_at_ms" bigint,
	CONSTRAINT "api_key_hash_unique" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "assessment" (
	"device_id" text NOT NULL,
	"node_id" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"recorded_day" text,
	"level" text NOT NULL,
	"probability" double precision,
	"horizon_days" double precision NOT NULL,
	"judge" jsonb NOT NULL,
	"reasons" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "audit" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"who" text NOT NULL,
	"role" text NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"outcome" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "batch" (
	"node_id" text NOT NULL,
	"uid" text NOT NULL,
	"incarnation" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"chain" text NOT NULL,
	"records" integer NOT NULL,
	"poison" boolean DEFAULT false NOT NULL,
	"sealed_at_ms" bigint NOT NULL,
	"received_at_ms" bigint NOT NULL,
	CONSTRAINT "batch_node_id_uid_pk" PRIMARY KEY("node_id","uid")
);
--> statement-breakpoint
CREATE TABLE "batch_seq" (
	"node_id" text NOT NULL,
	"incarnation" bigint NOT NULL,
	"seq" bigint NOT NULL,
	"uid" text NOT NULL,
	"chain" text NOT NULL,
	CONSTRAINT "batch_seq_node_id_incarnation_seq_pk" PRIMARY KEY("node_id","incarnation","seq")
);
--> statement-breakpoint
CREATE TABLE "bus_identity" (
	"identity" text PRIMARY KEY NOT NULL,
	"role" text NOT NULL,
	"password_hash" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"revoked_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "certificate" (
	"certificate_id" text PRIMARY KEY NOT NULL,
	"device_id" text NOT NULL,
	"node_id" text NOT NULL,
	"state" text NOT NULL,
	"opened_at_ms" bigint NOT NULL,
	"issued_at_ms" bigint NOT NULL,
	"body" text NOT NULL,
	"signature" text NOT NULL,
	"key_id" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cp_leader" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"term" bigint DEFAULT 0 NOT NULL,
	"holder" text DEFAULT '' NOT NULL,
	"expires_at_ms" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dataset" (
	"dataset_id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"rev" bigint DEFAULT 1 NOT NULL,
	"own_policy" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"heat" jsonb,
	"ewma_per_hour" double precision DEFAULT 0 NOT NULL,
	"last_access_at_ms" bigint,
	"last_moved_at_ms" bigint,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "dataset_version" (
	"version_id" text PRIMARY KEY NOT NULL,
	"dataset_id" text NOT NULL,
	"parent_version_id" text,
	"root" text NOT NULL,
	"objects" bigint NOT NULL,
	"size_bytes" bigint NOT NULL,
	"unreadable" integer DEFAULT 0 NOT NULL,
	"notes" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"job_id" text NOT NULL,
	"committed_at_ms" bigint NOT NULL,
	CONSTRAINT "dataset_version_job_id_unique" UNIQUE("job_id")
);
--> statement-breakpoint
CREATE TABLE "device" (
	"device_id" text PRIMARY KEY NOT NULL,
	"node_id" text NOT NULL,
	"serial" text NOT NULL,
	"model" text NOT NULL,
	"kind" text NOT NULL,
	"transport" text NOT NULL,
	"capacity_bytes" bigint NOT NULL,
	"firmware" text,
	"path" text NOT NULL,
	"level" text DEFAULT 'unknown' NOT NULL,
	"level_since_ms" bigint,
	"probability" double precision,
	"horizon_days" double precision DEFAULT 30 NOT NULL,
	"judge" jsonb,
	"reasons" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"assessed_at_ms" bigint,
	"last_reading_at_ms" bigint,
	"last_status" text,
	"recorded_day" text,
	"temperature_celsius" double precision,
	"power_on_hours" double precision
);
--> statement-breakpoint
CREATE TABLE "disk_stats" (
	"device_id" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"over_ms" double precision NOT NULL,
	"reads" bigint NOT NULL,
	"writes" bigint NOT NULL,
	"read_bytes" bigint NOT NULL,
	"written_bytes" bigint NOT NULL,
	"mean_latency_ms" double precision,
	"busy" double precision NOT NULL
);
--> statement-breakpoint
CREATE TABLE "event" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"type" text NOT NULL,
	"severity" text NOT NULL,
	"text" text NOT NULL,
	"ids" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"by" text NOT NULL,
	"tx_id" bigint DEFAULT pg_current_xact_id()::text::bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "experiment" (
	"experiment_id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"node_id" text NOT NULL,
	"parameters" jsonb NOT NULL,
	"state" text NOT NULL,
	"detail" text DEFAULT '' NOT NULL,
	"started_at_ms" bigint NOT NULL,
	"ends_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "global_policy" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"rev" bigint DEFAULT 1 NOT NULL,
	"policy" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "idempotency" (
	"key" text PRIMARY KEY NOT NULL,
	"status" integer NOT NULL,
	"body" text NOT NULL,
	"at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "job" (
	"job_id" text PRIMARY KEY NOT NULL,
	"key" text NOT NULL,
	"dataset_id" text NOT NULL,
	"purpose" text NOT NULL,
	"state" text NOT NULL,
	"active" boolean DEFAULT true NOT NULL,
	"need" text,
	"reason" text DEFAULT '' NOT NULL,
	"plan_id" text,
	"device_id" text,
	"version_id" text,
	"import_source" jsonb,
	"from_replica_id" text,
	"from_target_id" text,
	"to_replica_id" text,
	"to_target_id" text,
	"mover_node_id" text NOT NULL,
	"source_node_id" text,
	"expected_pointer_rev" bigint,
	"epoch" bigint DEFAULT 0 NOT NULL,
	"lease_incarnation" bigint DEFAULT 0 NOT NULL,
	"lease_expires_at_ms" bigint,
	"attempt" integer DEFAULT 0 NOT NULL,
	"not_before_ms" bigint,
	"waiting_because" text,
	"error" jsonb,
	"progress" jsonb,
	"size_bytes" bigint DEFAULT 0 NOT NULL,
	"moved_bytes" bigint DEFAULT 0 NOT NULL,
	"priority" integer DEFAULT 3 NOT NULL,
	"activated_at_ms" bigint,
	"witnessed_at_ms" bigint,
	"rechecked_at_ms" bigint,
	"switched_at_ms" bigint,
	"trashed_at_ms" bigint,
	"created_at_ms" bigint NOT NULL,
	"started_at_ms" bigint,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "job_transition" (
	"seq" bigserial PRIMARY KEY NOT NULL,
	"job_id" text NOT NULL,
	"from_state" text NOT NULL,
	"event" text NOT NULL,
	"to_state" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"detail" jsonb DEFAULT '{}'::jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "node" (
	"node_id" text PRIMARY KEY NOT NULL,
	"site_id" text NOT NULL,
	"host" text DEFAULT '' NOT NULL,
	"agent_state" text DEFAULT 'expected' NOT NULL,
	"agent_version" text,
	"incarnation" bigint DEFAULT 0 NOT NULL,
	"boot_uid" text,
	"session" bigint DEFAULT 0 NOT NULL,
	"connected" boolean DEFAULT false NOT NULL,
	"last_heard_at_ms" bigint,
	"transfer_url" text,
	"import_roots" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"faults_allowed" boolean DEFAULT false NOT NULL,
	"desired_rev" bigint DEFAULT 0 NOT NULL,
	"observed_rev" bigint DEFAULT 0 NOT NULL,
	"desired_hash" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "permit" (
	"permit_id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"job_id" text NOT NULL,
	"replica_id" text NOT NULL,
	"pointer_rev" bigint NOT NULL,
	"depends_on" jsonb NOT NULL,
	"epoch" bigint NOT NULL,
	"granted_at_ms" bigint NOT NULL,
	"used_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "plan" (
	"plan_id" text PRIMARY KEY NOT NULL,
	"made_at_ms" bigint NOT NULL,
	"state" text NOT NULL,
	"body" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "pointer" (
	"dataset_id" text PRIMARY KEY NOT NULL,
	"version_id" text NOT NULL,
	"replica_id" text NOT NULL,
	"rev" bigint NOT NULL,
	"changed_by_job" text NOT NULL,
	"changed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "price_entry" (
	"rev" bigint NOT NULL,
	"price_class" text NOT NULL,
	"valid_from_ms" bigint NOT NULL,
	"prices" jsonb NOT NULL,
	"source" text NOT NULL,
	CONSTRAINT "price_entry_rev_price_class_valid_from_ms_pk" PRIMARY KEY("rev","price_class","valid_from_ms")
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"id" text PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"topic" text NOT NULL,
	"node_id" text,
	"because" text NOT NULL,
	"bytes" integer NOT NULL,
	"hex" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "reading" (
	"device_id" text NOT NULL,
	"node_id" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"received_at_ms" bigint NOT NULL,
	"recorded_day" text,
	"source" text NOT NULL,
	"status" text NOT NULL,
	"temperature_celsius" double precision,
	"power_on_hours" double precision,
	"self_assessment_passed" boolean,
	"smart" jsonb NOT NULL,
	"nvme" jsonb,
	"unreadable_because" text,
	"batch_uid" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "recommendation" (
	"recommendation_id" text PRIMARY KEY NOT NULL,
	"plan_id" text NOT NULL,
	"dataset_id" text NOT NULL,
	"made_at_ms" bigint NOT NULL,
	"judge" text NOT NULL,
	"body" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "replica" (
	"replica_id" text PRIMARY KEY NOT NULL,
	"dataset_id" text NOT NULL,
	"version_id" text,
	"target_id" text NOT NULL,
	"state" text DEFAULT 'joining' NOT NULL,
	"verified_root" text,
	"verified_at_ms" bigint,
	"verified_level" text,
	"verified_by" text,
	"activated" boolean DEFAULT false NOT NULL,
	"why" text DEFAULT '' NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "store_meta" (
	"id" integer PRIMARY KEY DEFAULT 1 NOT NULL,
	"store_epoch" text NOT NULL,
	"event_seq_at_start" bigint DEFAULT 0 NOT NULL,
	"fingerprint" text DEFAULT '' NOT NULL
);
--> statement-breakpoint
CREATE TABLE "switch_log" (
	"job_id" text PRIMARY KEY NOT NULL,
	"dataset_id" text NOT NULL,
	"from_rev" bigint NOT NULL,
	"to_rev" bigint NOT NULL,
	"version_id" text NOT NULL,
	"replica_id" text NOT NULL,
	"certificate" text NOT NULL,
	"at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sync_queue" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"dataset_id" text,
	"replica_id" text,
	"node_id" text,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"detail" text DEFAULT '' NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"changed_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "target" (
	"target_id" text PRIMARY KEY NOT NULL,
	"node_id" text NOT NULL,
	"description" jsonb NOT NULL,
	"state" text DEFAULT 'ok' NOT NULL,
	"state_reason" text,
	"reachable" boolean DEFAULT true NOT NULL,
	"capacity_bytes" bigint DEFAULT 0 NOT NULL,
	"used_bytes" bigint DEFAULT 0 NOT NULL,
	"free_bytes" bigint DEFAULT 0 NOT NULL,
	"latency_p50_ms" double precision,
	"latency_p95_ms" double precision,
	"latency_p99_ms" double precision,
	"read_bytes_per_sec" double precision,
	"write_bytes_per_sec" double precision,
	"measured_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "token" (
	"hash" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"who" text NOT NULL,
	"role" text NOT NULL,
	"bound_to" text,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL,
	"used_at_ms" bigint
);
--> statement-breakpoint
CREATE INDEX "access_event_dataset" ON "access_event" USING btree ("dataset_id","at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "alert_open" ON "alert" USING btree ("key") WHERE ended_at_ms is null;--> statement-breakpoint
CREATE INDEX "assessment_device" ON "assessment" USING btree ("device_id","at_ms");--> statement-breakpoint
CREATE INDEX "batch_received" ON "batch" USING btree ("received_at_ms");--> statement-breakpoint
CREATE INDEX "disk_stats_device" ON "disk_stats" USING btree ("device_id","at_ms");--> statement-breakpoint
CREATE INDEX "event_at" ON "event" USING btree ("at_ms");--> statement-breakpoint
CREATE INDEX "event_order" ON "event" USING btree ("tx_id","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "job_active_key" ON "job" USING btree ("key") WHERE active;--> statement-breakpoint
CREATE INDEX "job_state" ON "job" USING btree ("active","state");--> statement-breakpoint
CREATE INDEX "job_dataset" ON "job" USING btree ("dataset_id");--> statement-breakpoint
CREATE INDEX "job_transition_job" ON "job_transition" USING btree ("job_id");--> statement-breakpoint
CREATE UNIQUE INDEX "permit_once" ON "permit" USING btree ("replica_id","kind");--> statement-breakpoint
CREATE INDEX "reading_device" ON "reading" USING btree ("device_id","at_ms");--> statement-breakpoint
CREATE INDEX "replica_dataset" ON "replica" USING btree ("dataset_id");--> statement-breakpoint
CREATE INDEX "replica_target" ON "replica" USING btree ("target_id");--> statement-breakpoint
CREATE UNIQUE INDEX "switch_log_chain" ON "switch_log" USING btree ("dataset_id","to_rev");