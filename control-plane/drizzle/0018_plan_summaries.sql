ALTER TABLE "plan" ADD COLUMN "summary" jsonb;--> statement-breakpoint
UPDATE "plan" SET "summary" = jsonb_build_object(
	'solver', body->'solver',
	'solvedInMs', body->'solvedInMs',
	'costBeforePerMonth', body->'costBeforePerMonth',
	'costAfterPerMonth', body->'costAfterPerMonth',
	'migrationOnce', body->'migrationOnce',
	'datasets', CASE WHEN body ? 'datasetIds' THEN jsonb_array_length(body->'datasetIds') END,
	'moves', jsonb_array_length(body->'moves'),
	'jobs', (SELECT count(*) FROM jsonb_array_elements(body->'moves') m WHERE m->>'jobId' IS NOT NULL),
	'bytes', (SELECT coalesce(sum((m->>'sizeBytes')::float8) FILTER (WHERE m->>'action' <> 'retire'), 0) FROM jsonb_array_elements(body->'moves') m)
);--> statement-breakpoint
ALTER TABLE "plan" ALTER COLUMN "summary" SET NOT NULL;
