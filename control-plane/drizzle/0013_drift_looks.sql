CREATE TABLE "drift_look" (
	"day" integer PRIMARY KEY NOT NULL,
	"at_ms" bigint NOT NULL,
	"drives" integer NOT NULL,
	"features" jsonb NOT NULL
);
