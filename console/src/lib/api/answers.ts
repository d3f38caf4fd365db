import type { CostsView, PastCostsView } from '@data-in-motion/shared/api/costs';
import type { DatasetDetail, DatasetLocation, DatasetView, PolicyView } from '@data-in-motion/shared/api/datasets';
import type { AlertView, AuditView, EventView, JobView, PlanSummary, PlanView } from '@data-in-motion/shared/api/decisions';
import type { DuplicatesView } from '@data-in-motion/shared/api/duplicates';
import type { DatasetExplanation, PolicyVerdictView } from '@data-in-motion/shared/api/explanation';
import type { FindingsView } from '@data-in-motion/shared/api/findings';
import type { DeviceHistory, DeviceView, FleetStatus, NodeDetail, NodeView, TargetView } from '@data-in-motion/shared/api/fleet';
import type { ModelComparison, ModelDetail, ModelDrift, ModelOutcome, ModelScores, ModelView } from '@data-in-motion/shared/api/models';
import type {
  BurstAnswer,
  CertificateDocument,
  CertificateView,
  ChaosView,
  ConsistencyView,
  IntegrationsView,
  JoinTokenAnswer,
  NewKey,
  SessionView,
  StatsView,
} from '@data-in-motion/shared/api/operations';
import type { PricesView } from '@data-in-motion/shared/api/prices';
import type { RouteName, routes } from '@data-in-motion/shared/api/routes';

/** A method and a path of the contract, as one literal: `GET /v1/nodes/{nodeId}`. */
export type Route = (typeof routes)[RouteName];

export interface ListOf<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
  readonly asOfMs: number;
}

/** What a change of a policy answers, as far as the console reads it: a policy that can not be met is told. */
export interface PolicyAnswer {
  readonly warning?: PolicyVerdictView;
}

/** What each route answers. Routes that are not here answer something that the console only waits for. */
export interface Answers {
  'GET /v1/status': FleetStatus;
  'GET /v1/nodes': ListOf<NodeView>;
  'GET /v1/nodes/{nodeId}': NodeDetail;
  'GET /v1/devices': ListOf<DeviceView>;
  'GET /v1/devices/{deviceId}': DeviceHistory;
  'GET /v1/targets': ListOf<TargetView>;
  'GET /v1/datasets': ListOf<DatasetView>;
  'GET /v1/datasets/{datasetId}': DatasetDetail;
  'GET /v1/datasets/{datasetId}/explanation': DatasetExplanation;
  'GET /v1/datasets/{datasetId}/location': DatasetLocation;
  'GET /v1/policies/global': PolicyView;
  'GET /v1/costs': CostsView;
  'GET /v1/costs/past': PastCostsView;
  'GET /v1/duplicates': DuplicatesView;
  'GET /v1/prices': PricesView;
  'GET /v1/findings': FindingsView;
  'GET /v1/plans': ListOf<PlanSummary>;
  'GET /v1/plans/current': PlanView;
  'GET /v1/plans/{planId}': PlanView;
  'POST /v1/datasets': PolicyAnswer;
  'PATCH /v1/datasets/{datasetId}/policy': PolicyAnswer;
  'PATCH /v1/policies/global': PolicyAnswer;
  'POST /v1/plans': PlanView;
  'GET /v1/jobs': ListOf<JobView>;
  'GET /v1/jobs/{jobId}': JobView;
  'GET /v1/events': ListOf<EventView>;
  'GET /v1/alerts': ListOf<AlertView>;
  'GET /v1/audit': ListOf<AuditView>;
  'GET /v1/stats': StatsView;
  'GET /v1/consistency': ConsistencyView;
  'GET /v1/chaos': ChaosView;
  'GET /v1/certificates': ListOf<CertificateView>;
  'GET /v1/certificates/{certificateId}': CertificateDocument;
  'GET /v1/models': ListOf<ModelView>;
  'GET /v1/models/outcomes': ListOf<ModelOutcome>;
  'GET /v1/models/drift': ModelDrift;
  'GET /v1/models/{version}': ModelDetail;
  'GET /v1/models/{version}/comparison': ModelComparison;
  'GET /v1/models/{version}/scores': ModelScores;
  'GET /v1/integrations': IntegrationsView;
  'GET /v1/session': SessionView;
  'POST /v1/agents/join-tokens': JoinTokenAnswer;
  'POST /v1/keys': NewKey;
  'POST /v1/simulate/burst': BurstAnswer;
}

export type AnswerOf<Asked extends Route> = Asked extends keyof Answers ? Answers[Asked] : unknown;
