CREATE TABLE "drive_outcome" (
	"device_id" text PRIMARY KEY NOT NULL,
	"outcome" text NOT NULL,
	"at_ms" bigint NOT NULL,
	"how" text NOT NULL,
	"by" text NOT NULL,
	"note" text
);
--> statement-breakpoint
CREATE TABLE "model_score" (
	"version" text NOT NULL,
	"device_id" text NOT NULL,
	"day" integer NOT NULL,
	"p7" double precision NOT NULL,
	"p30" double precision NOT NULL,
	"level" text NOT NULL,
	CONSTRAINT "model_score_version_device_id_day_pk" PRIMARY KEY("version","device_id","day")
);
--> statement-breakpoint
CREATE INDEX "model_score_device" ON "model_score" USING btree ("device_id","day");