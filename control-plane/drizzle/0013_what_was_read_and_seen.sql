CREATE TABLE "drift_look" (
	"day" integer PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"drives" integer NOT NULL,
	"features" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "file_sample" (
	"version_id" text PRIMARY KEY NOT NULL,
	"level" integer NOT NULL,
	"complete_from_bytes" bigint NOT NULL,
	"files" text NOT NULL
);
--> statement-breakpoint
ALTER TABLE "dataset" ADD COLUMN "counted_reads" jsonb;--> statement-breakpoint
ALTER TABLE "reading" ADD COLUMN "kernel" jsonb;--> statement-breakpoint
CREATE INDEX "event_dataset" ON "event" USING btree (("ids"->>'datasetId'),"seq");