CREATE TABLE "access_rate" (
	"dataset_id" text NOT NULL,
	"node_id" text NOT NULL,
	"per_hour" double precision NOT NULL,
	CONSTRAINT "access_rate_dataset_id_node_id_pk" PRIMARY KEY("dataset_id","node_id")
);
--> statement-breakpoint
ALTER TABLE "alert" ADD COLUMN "last_at_ms" bigint;