CREATE TABLE "shadow_price" (
	"target_id" text NOT NULL,
	"resource" text NOT NULL,
	"dollars_per_unit" double precision NOT NULL,
	CONSTRAINT "shadow_price_target_id_resource_pk" PRIMARY KEY("target_id","resource")
);
