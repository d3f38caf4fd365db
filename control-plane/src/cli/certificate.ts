import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { certificateDocument, certificateView } from '@data-in-motion/shared/api/operations';
import { Failure } from '@data-in-motion/shared/failure';
import { keyThumbprint } from '@data-in-motion/shared/signature';
import type { Command } from 'commander';
import { age, bytes, counted, whole } from './figures.ts';
import { noun, verb } from './session.ts';
import { table } from './table.ts';
import { type Verdict, verifyCertificate } from './verify-certificate.ts';

export function addCertificate(program: Command): void {
  const certificate = noun(program, 'certificate', 'proof of what was moved away from a failing drive');
  verb(certificate, {
    usage: 'list',
    isDefault: true,
    says: 'all evacuation certificates',
    examples: ['certificate list'],
    async run(session) {
      const list = await session.api.list('certificates', certificateView);
      session.answer(list, () =>
        table(
          list.items,
          [
            { title: 'certificate', of: (row) => row.certificateId },
            { title: 'device', of: (row) => row.deviceId },
            { title: 'node', of: (row) => row.nodeId },
            { title: 'issued', of: (row) => age(row.issuedAtMs, list.asOfMs) },
            { title: 'state', of: (row) => row.state },
            { title: 'copies', align: 'right', of: (row) => whole(row.replicas) },
            { title: 'the drive later', of: (row) => row.outcome ?? '–' },
          ],
          'No drive was evacuated yet.',
        ),
      );
    },
  });
  verb<{ output?: string }>(certificate, {
    usage: 'get <certificate>',
    says: 'the signed document, as a file that can be checked without us',
    examples: ['certificate get 01JD0000000000000000000000 -o drive.json'],
    options: (command) => command.option('-o, --output <file>', 'where to write it; otherwise the standard output'),
    async run(session, [certificateId = ''], options) {
      const document = await session.api.call('certificate', certificateDocument, { path: { certificateId } });
      const text = JSON.stringify(document, null, 2);
      if (options.output === undefined) {
        process.stdout.write(`${text}\n`);
        return;
      }
      writeFileSync(options.output, `${text}\n`);
      session.answer({ file: options.output, certificateId }, () => `Written to ${options.output}. Check it: dim certificate verify ${options.output}`);
    },
  });
  verb<{ keyId?: string }>(certificate, {
    usage: 'verify <file>',
    says: 'check a certificate without a server: signature, roots, places and times',
    examples: ['certificate verify drive.json', 'certificate verify drive.json --key-id 0f3c…'],
    options: (command) => command.option('--key-id <thumbprint>', 'of the control plane’s key, as you know it from elsewhere'),
    async run(session, [file = ''], options) {
      const verdict = verifyCertificate(readDocument(file), options.keyId?.toLowerCase() ?? localKeyId(session.access.home));
      session.answer(verdict, () => verdictText(verdict));
      if (!verdict.holds) process.exitCode = 1;
    },
  });
}

function verdictText(verdict: Verdict): string {
  const { body } = verdict;
  return [
    ...(body === undefined
      ? []
      : [
          `${body.device.model}, serial ${body.device.serial}, on ${body.device.nodeId}: ${body.alarm.level} by ${body.judge.kind} ${body.judge.name} version ${body.judge.version}${body.alarm.recordedDay === null ? '' : ` on ${body.alarm.recordedDay}`}`,
          ...body.alarm.reasons.map((reason) => `  because ${reason}`),
          ...body.replicas.map(
            (one) => `  ${one.datasetId} (${bytes(one.bytes)}, ${counted(one.objects, 'object')}): ${one.from.targetId} -> ${one.to.targetId}`,
          ),
          ...(body.outcome === null ? [] : [`  later: ${body.outcome.text}`]),
          '',
        ]),
    ...verdict.checks.map((check) => `${check.holds ? '✓' : '✗'} ${check.says}${check.detail === '' ? '' : ` (${check.detail})`}`),
    ...(verdict.signer === 'unknown' ? ['? whose key it is could not be compared: no control-plane.pub in DIM_HOME and no --key-id'] : []),
    '',
    verdict.holds ? 'The certificate verifies.' : 'The certificate does NOT verify.',
  ].join('\n');
}

function readDocument(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('refused', {
      code: 'file.unreadable',
      message: `${file} can not be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

function localKeyId(home: string): string | undefined {
  const file = path.join(home, 'control-plane.pub');
  return existsSync(file) ? keyThumbprint(readFileSync(file, 'utf8')) : undefined;
}
