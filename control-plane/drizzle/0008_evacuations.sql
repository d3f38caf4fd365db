ALTER TABLE "device" ADD COLUMN "judge_since_ms" bigint;--> statement-breakpoint
ALTER TABLE "device" ADD COLUMN "evacuating_since_ms" bigint;