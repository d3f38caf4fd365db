CREATE TABLE "failure_model" (
	"version" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"state" text DEFAULT 'candidate' NOT NULL,
	"rev" bigint DEFAULT 1 NOT NULL,
	"artifact" text NOT NULL,
	"artifact_hash" text NOT NULL,
	"data_hash" text NOT NULL,
	"trained" jsonb NOT NULL,
	"metrics" jsonb,
	"added_at_ms" bigint NOT NULL,
	"added_by" text NOT NULL,
	"promoted_at_ms" bigint,
	"promoted_by" text,
	"retired_at_ms" bigint,
	"retired_because" text
);
--> statement-breakpoint
ALTER TABLE "node" ADD COLUMN "model_version" text;--> statement-breakpoint
ALTER TABLE "node" ADD COLUMN "model_told_at_ms" bigint;--> statement-breakpoint
CREATE UNIQUE INDEX "failure_model_one_active" ON "failure_model" USING btree ("state") WHERE state = 'active';--> statement-breakpoint
CREATE UNIQUE INDEX "failure_model_one_shadow" ON "failure_model" USING btree ("state") WHERE state = 'shadow';