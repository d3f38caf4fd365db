ALTER TABLE "dataset_version" ADD COLUMN "duplicate_objects" bigint;--> statement-breakpoint
ALTER TABLE "dataset_version" ADD COLUMN "duplicate_bytes" bigint;