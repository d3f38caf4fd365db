import { seededRandom } from '@data-in-motion/shared/random';
import { z } from 'zod';
import { conditionFault, numberParameter, refusedFault, systemError, targetNamed } from './fault.ts';

/** What a disk or a mounted file system answers when it fails. */
const errnos = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ETIMEDOUT', 'ENXIO', 'ESTALE'];

export const targetErrors = conditionFault(
  z.object({ targetId: z.string(), probability: z.number(), errno: z.string(), seed: z.number() }),
  (order, world) => {
    const errno = order.parameters.errno;
    if (typeof errno !== 'string' || !errnos.includes(errno)) throw refusedFault(`parameter errno has to be one of ${errnos.join(', ')}`);
    return { targetId: targetNamed(order, world).targetId, probability: numberParameter(order, 'probability', 0, 1), errno, seed: order.seed };
  },
  ({ targetId, probability, errno, seed }) => {
    const random = seededRandom(seed);
    return {
      before: async (operation, onTargetId) => {
        if (onTargetId === targetId && random.next() < probability) throw systemError(errno, operation, targetId);
      },
    };
  },
);
