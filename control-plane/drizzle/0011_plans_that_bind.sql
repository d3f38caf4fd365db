CREATE TABLE "plan_move" (
	"move_id" text PRIMARY KEY NOT NULL,
	"plan_id" text NOT NULL,
	"place" integer NOT NULL,
	"stage" text NOT NULL,
	"dataset_id" text NOT NULL,
	"to_target_id" text,
	"size_bytes" bigint NOT NULL,
	"job_id" text,
	"because" text
);
--> statement-breakpoint
ALTER TABLE "plan" ADD COLUMN "basis" jsonb;--> statement-breakpoint
ALTER TABLE "plan" ADD COLUMN "held_bytes" jsonb;--> statement-breakpoint
ALTER TABLE "plan" ADD COLUMN "held_until_ms" bigint;--> statement-breakpoint
ALTER TABLE "plan" ADD COLUMN "execution" jsonb;--> statement-breakpoint
CREATE INDEX "plan_move_plan" ON "plan_move" USING btree ("plan_id");--> statement-breakpoint
CREATE INDEX "plan_move_open" ON "plan_move" USING btree ("stage");