/**
 * Asks the HTTP interface again and again, one request of each kind in turn, and tells how long each took as JSON, the first of each kind first: `node
 * ask-interface.ts URL KEY SECONDS`.
 * A process of its own: its work and its waiting are not those of who answers.
 */
const [url = '', key = '', seconds = '30'] = process.argv.slice(2);
const headers = { 'X-Api-Key': key };
const list = (await (await fetch(`${url}/v1/datasets?limit=50`, { headers })).json()) as { items: { datasetId: string }[] };
const known = list.items[Math.floor(list.items.length / 2)]!.datasetId;
const paths: Readonly<Record<string, string>> = {
  '/v1/status': '/v1/status',
  '/v1/datasets?limit=50': '/v1/datasets?limit=50',
  '/v1/datasets/{id}': `/v1/datasets/${known}`,
  '/v1/plans/current': '/v1/plans/current',
  '/v1/jobs': '/v1/jobs',
  '/v1/targets': '/v1/targets',
  '/v1/findings?limit=50': '/v1/findings?limit=50',
  '/v1/costs': '/v1/costs',
};
const tookMs: Record<string, number[]> = Object.fromEntries(Object.keys(paths).map((name) => [name, []]));
const pauseMs = 20;
const endsAtMs = performance.now() + Number(seconds) * 1_000;
while (performance.now() < endsAtMs) {
  for (const [name, path] of Object.entries(paths)) {
    const beganMs = performance.now();
    const answer = await fetch(url + path, { headers });
    await answer.arrayBuffer();
    // Before the first plan there is none to show; that is an answer too.
    if (!answer.ok && answer.status !== 404) throw new Error(`${path} answered ${answer.status}`);
    tookMs[name]!.push(performance.now() - beganMs);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
process.stdout.write(JSON.stringify(tookMs));
