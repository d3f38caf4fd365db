CREATE TABLE "device_acknowledgement" (
	"device_id" text PRIMARY KEY NOT NULL,
	"counts" jsonb NOT NULL,
	"read_at_ms" bigint NOT NULL,
	"at_ms" bigint NOT NULL,
	"by" text NOT NULL,
	"note" text
);
--> statement-breakpoint
ALTER TABLE "assessment" ADD COLUMN "probability7" double precision;--> statement-breakpoint
ALTER TABLE "device" ADD COLUMN "probability7" double precision;