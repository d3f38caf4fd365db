ALTER TABLE "job" ADD COLUMN "certificate" text;--> statement-breakpoint
ALTER TABLE "job" ADD COLUMN "switch_rev" bigint;--> statement-breakpoint
ALTER TABLE "job" ADD COLUMN "read_replica_id" text;--> statement-breakpoint
ALTER TABLE "job" ADD COLUMN "source_changes" integer DEFAULT 0 NOT NULL;