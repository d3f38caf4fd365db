import { parentPort } from 'node:worker_threads';
import { doSmallTask, type SmallTask, smallFileBytes } from './small-file.ts';

/** The other side of `SmallFiles`: a list of tasks comes in, the list of their answers goes out. */
const memory = Buffer.allocUnsafeSlow(smallFileBytes + 1);
parentPort?.on('message', (tasks: readonly SmallTask[]) => parentPort?.postMessage(tasks.map((task) => doSmallTask(task, memory))));
parentPort?.postMessage('ready');
