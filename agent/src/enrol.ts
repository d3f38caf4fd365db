import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { asFailure, Failure } from '@data-in-motion/shared/failure';
import { z } from 'zod';

const answer = z.object({ nodeId: z.string(), password: z.string().min(1), mqttUrl: z.string().min(1), keyId: z.string() });
const problem = z.object({ detail: z.string().optional(), title: z.string().optional(), fix: z.string().optional() });
const timeoutMs = 15_000;

export interface Enrolment {
  /** Of the control plane's HTTP interface. */
  readonly url: string;
  /** Given by an operator; good for one agent, once. */
  readonly token: string;
  readonly nodeId: string;
  readonly credentialsFile: string;
}

/**
 * Exchange a token for this node's password on the bus and write it, with the key to trust, to a file that only its owner reads.
 *
 * @returns thumbprint of the control plane's key, for a person to compare
 * @throws Failure `unavailable` when nobody answers, `refused` when the token is not taken
 */
export async function enrol({ url, token, nodeId, credentialsFile }: Enrolment): Promise<string> {
  const response = await ask(new URL('/v1/agents/enroll', url), { token, nodeId });
  const body: unknown = await response.json().catch(() => ({}));
  if (!response.ok) {
    const said = problem.safeParse(body).data;
    throw new Failure('refused', {
      code: 'enrol.refused',
      message: `the control plane refused to enrol ${nodeId} (${response.status}): ${said?.detail ?? said?.title ?? 'it did not say why'}`,
      hint: said?.fix ?? 'ask for a new token: each is good for one agent, once, for ten minutes',
    });
  }
  const parsed = answer.safeParse(body);
  if (!parsed.success)
    throw new Failure('refused', {
      code: 'enrol.answer',
      message: `${url} does not answer as a control plane does: ${parsed.error.issues[0]?.path.join('.')} ${parsed.error.issues[0]?.message}`,
    });
  writePrivately(credentialsFile, `${JSON.stringify(parsed.data, null, 2)}\n`);
  return parsed.data.keyId;
}

async function ask(url: URL, body: object): Promise<Response> {
  try {
    return await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (thrown) {
    throw new Failure('unavailable', { code: 'enrol.no-answer', message: `nobody answers at ${url.origin}: ${asFailure(thrown).message}`, cause: thrown });
  }
}

/** Whole or not at all, and never readable by others, not even for a moment. */
function writePrivately(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const partial = `${file}.${process.pid}.partial`;
  const descriptor = openSync(partial, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, file);
}
