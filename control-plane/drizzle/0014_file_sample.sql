CREATE TABLE "file_sample" (
	"version_id" text PRIMARY KEY NOT NULL,
	"level" integer NOT NULL,
	"complete_from_bytes" bigint NOT NULL,
	"files" text NOT NULL
);
