// A sandbox in which a good deal has happened, for pictures and for a look around.
import http from 'node:http';
import { REPORTEI } from './lib/server.mjs';

const HUBSTER = { authorization: 'Bearer hubster-portal-token' };
const TRIAL = 'caedbbbe-7d93-476f-b965-bf97cd7ce874';
const INSTAGRAM = '4addc0da-8583-4dbb-a0e9-c7e2e8470f50';

// Two webhooks, of which one is taken and one is refused at first.
async function told({ api, control }) {
  let asked = 0;
  const receiver = http.createServer((request, response) => {
    request.resume();
    asked += 1;
    response.writeHead(asked === 1 ? 500 : 204).end();
  });
  await new Promise((resolve) => receiver.listen(Number(process.env.RECEIVER ?? 4080), '127.0.0.1', resolve));
  const hub = '00000000-0000-0000-0000-0000000000a2';
  const webhookUrl = `http://127.0.0.1:${receiver.address().port}/hook`;
  await api('POST', `/hubster/api/v1/integrations/hubs/${hub}`, {
    channelId: 'System', name: 'Audit', configuration: { webhookUrl, events: ['message'] },
  }, HUBSTER);
  for (const text of ['Where is my order?', 'It came. Thank you!']) {
    await control('POST', '/events/hubster/send-activity', { hubId: hub, from: 'customer', text });
    await control('POST', '/clock/advance', { by: '3 minutes' });
  }
  await new Promise((resolve) => receiver.close(resolve));
}

// Fills a sandbox, the same way each time, and gives what pictures are taken of. Answers that are errors are meant.
export async function story(sandbox) {
  const { call, control } = sandbox;
  const customer = { ...REPORTEI, 'x-customer-token': `token-${TRIAL}` };
  await call('GET', '/reportei/customers', undefined, REPORTEI);
  await call('POST', '/reportei/customers', { name: 'Padaria Aurora' }, REPORTEI);
  await call('POST', '/reportei/customers', { name: '   ' }, REPORTEI);
  await call('GET', '/reportei/customer-integrations', undefined, customer);
  await call('GET', '/customers', undefined, REPORTEI);
  await call('GET', '/optimizeplayer/integrations?api_key=test_key');
  await call('GET', '/hubster/nowhere', undefined, HUBSTER);
  await control('POST', '/clock/advance', { by: '2 days' });
  const session = await call('POST', '/reportei/customer-integrations/session', { redirect_url: 'https://reportei.com/dashboard' }, customer);
  await control('POST', '/events/reportei/revoke', { uuid: INSTAGRAM });
  await call('GET', '/reportei/customer-integrations', undefined, customer);
  await control('PUT', '/faults', {
    faults: [
      { operation: 'reportei/customers/list', error: 'unauthenticated', share: 0.2 },
      { pack: 'optimizeplayer', latency: '250ms', count: 3 },
    ],
  });
  await control('POST', '/stubs', {
    request: { method: 'GET', urlPath: '/reportei/health' },
    response: { status: 200, jsonBody: { status: 'fine' } },
  });
  await call('GET', '/reportei/health');
  await call('PUT', `/reportei/customers/${TRIAL}`, { name: 'Padaria Aurora e Filhos' }, REPORTEI);
  await told(sandbox);
  await control('POST', '/snapshots', { name: 'before-the-end' });
  await control('POST', '/clock/advance', { by: '6 days' });
  await call('GET', '/reportei/customer-integrations', undefined, customer);
  const journal = await control('GET', '/journal?limit=1000');
  return { session: session.body?.integration_session, last: journal.records.at(-1).entry, created: journal.records[1].entry, customer: TRIAL, integration: INSTAGRAM };
}
