ALTER TABLE "cp_leader" ADD COLUMN "known_epoch" text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "cp_leader" ADD COLUMN "distrusted_since_ms" bigint;