ALTER TABLE "drift_look" ADD COLUMN "version" text;--> statement-breakpoint
ALTER TABLE "drift_look" ADD COLUMN "beside_training" jsonb;--> statement-breakpoint
ALTER TABLE "failure_model" ADD COLUMN "first_looks" jsonb;