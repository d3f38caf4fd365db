DROP TABLE "disk_stats" CASCADE;--> statement-breakpoint
ALTER TABLE "reading" ADD COLUMN "kernel" jsonb;