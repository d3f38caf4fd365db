import type { NodeId } from '@data-in-motion/shared/domain/ids';
import { sql } from 'drizzle-orm';
import { type Db, rowsOf } from './database.ts';
import { agentStream } from './schema.ts';

export interface StreamWatermark {
  readonly nodeId: NodeId;
  readonly incarnation: number;
  readonly watermark: number;
}

/** Up to where each agent life is stored without a hole. */
export async function streamWatermarks(db: Db): Promise<StreamWatermark[]> {
  return db.select({ nodeId: agentStream.nodeId, incarnation: agentStream.incarnation, watermark: agentStream.watermark }).from(agentStream);
}

/** Say of these that they survive power loss now; answers whether any grew. */
export async function advanceDurable(db: Db, stored: readonly StreamWatermark[]): Promise<boolean> {
  const grew = await rowsOf(
    db,
    sql`update agent_stream s set durable_upto = d.upto
      from jsonb_to_recordset(${JSON.stringify(stored.map((row) => ({ node: row.nodeId, inc: row.incarnation, upto: row.watermark })))}::jsonb) as d(node text, inc bigint, upto bigint)
      where s.node_id = d.node and s.incarnation = d.inc and s.durable_upto < d.upto returning 1 as grew`,
  );
  return grew.length > 0;
}
