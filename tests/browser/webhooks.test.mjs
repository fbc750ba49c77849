// Webhooks of the dashboard: what went out, to receivers that are there.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { receive } from './lib/receiver.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const CUSTOMER = 'caedbbbe-7d93-476f-b965-bf97cd7ce874';
const INTEGRATION = '4addc0da-8583-4dbb-a0e9-c7e2e8470f50';
const HUB = '00000000-0000-0000-0000-000000000000';
const DIRECT = '00000000-0000-0000-0000-000000000000';
const SYSTEM = '00000000-0000-0000-0000-000000000003';
const KEY = 'FA96D15568654A4482772E00BA941BCB';

let server;
let browser;
before(async () => {
  server = await serve('--freeze');
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// A sandbox in which the system integration of the hub is told at `to`; the agent's is told at `direct`.
async function telling(to, direct = to) {
  const sandbox = await server.sandbox();
  await sandbox.control('PATCH', `/state/hubster/integration/${SYSTEM}`, { webhookUrl: to });
  await sandbox.control('PATCH', `/state/hubster/integration/${DIRECT}`, { webhookUrl: direct });
  const say = (text) => sandbox.control('POST', '/events/hubster/send-activity', { hubId: HUB, from: 'customer', text });
  const deliveries = async (query = '') => (await sandbox.control('GET', `/webhooks?limit=1000${query}`)).records;
  const settled = (wanted) => browser.until('settled', async () => (await deliveries()).filter((one) => one.state !== 'sending' && one.attempts.every((a) => a.result) && one.attempts.length > 0).length >= wanted);
  return { sandbox, say, deliveries, settled };
}

test('before anything went out the page says what would', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/webhooks`);
  await browser.says('Nothing went out yet');
  const text = await browser.says('x-hubster-signature');
  assert.ok(text.includes('reportei/collected') && text.includes('2m, 4m, 6m, 8m, 10m'), text);
  await browser.accessible();
});

test('a delivery appears by itself, fails, is tried again, and is taken', async () => {
  const receiver = await receive(500, 200);
  try {
    const { sandbox, say, deliveries } = await telling(receiver.url, 'http://127.0.0.1:1/nobody');
    await browser.go(`${sandbox.ui}/webhooks?webhook=tell-system`);
    await browser.says('live', '#live');
    await say('Where is my order?');
    await browser.says('waiting', '#list');
    await browser.says('500', '#list');
    await browser.says('2024-10-01 17:17:12', '#list');
    const [delivery] = await deliveries('&webhook=tell-system');
    await browser.press('tell-system');
    await browser.says('Attempt 1');
    const first = await browser.text('#attempts');
    assert.match(first, /refused\s+500/);
    assert.ok(first.includes('"answered": 500') && first.includes('"eventTrigger": "message:customer"'), first);
    await browser.says('live', '#live');
    await sandbox.control('POST', '/clock/advance', { to: 'next' });
    await browser.says('Attempt 2', '#attempts');
    await browser.says('delivered', '#attempts');
    const second = await browser.text('#attempts');
    assert.match(second, /taken\s+200/);
    assert.ok(second.includes('none is planned'), second);
    // The signature on the page is that of the body as it came.
    const sign = (body) => crypto.createHmac('sha256', KEY).update(body).digest('base64');
    assert.equal(await browser.text('.sent-headers .signature + dd'), sign(receiver.heard[1].body));
    assert.ok(!second.includes(KEY), 'the key is a secret');
    await browser.accessible();
    await browser.press(`entry ${delivery.cause}`);
    await browser.until('its cause', async () => (await browser.driver.getCurrentUrl()).endsWith(`/journal/${delivery.cause}`));
    assert.deepEqual(await browser.complaints(), []);
  } finally {
    await receiver.stop();
  }
});

test('a receiver that is down is told as such, and gets it when it is there', async () => {
  const receiver = await receive(200);
  const { url } = receiver;
  await receiver.stop();
  const { sandbox, say, deliveries, settled } = await telling(url);
  await say('Anybody?');
  await settled(2);
  const [delivery] = await deliveries('&webhook=tell-system');
  await browser.go(`${sandbox.ui}/webhooks/${delivery.id}`);
  await browser.says('unreachable', '#attempts');
  await browser.press('Deliver again, now');
  await browser.says('It was sent again, and not taken');
  await browser.says('because somebody asked for it', '#attempts');
  const there = await receive(200);
  try {
    await sandbox.control('PATCH', `/state/hubster/integration/${SYSTEM}`, { webhookUrl: there.url });
    await browser.press('Deliver again, now');
    await browser.says('It was delivered again, and taken');
    await browser.says('delivered', '#attempts');
    assert.equal(there.heard.length, 1);
    assert.equal((await sandbox.control('GET', `/webhooks/${delivery.id}`)).state, 'delivered');
  } finally {
    await there.stop();
  }
});

test('what is not let out says how it could be', async () => {
  const { sandbox, say, deliveries, settled } = await telling('https://hooks.example.com/x');
  await say('Hello');
  await settled(2);
  await browser.go(`${sandbox.ui}/webhooks/${(await deliveries())[0].id}`);
  await browser.says('--allow-webhook-host', '#attempts');
  await browser.accessible();
});

test('what has no address is not sent, and says why', async () => {
  const { sandbox, say, deliveries } = await telling('http://127.0.0.1:1/', null);
  await say('Hello');
  const [direct] = await deliveries('&webhook=tell-direct');
  await browser.go(`${sandbox.ui}/webhooks`);
  await browser.says('by websocket, not sent', '#list');
  await browser.go(`${sandbox.ui}/webhooks/${direct.id}`);
  await browser.says('it goes by websocket, which is not played here', '#attempts');
  assert.ok(!(await browser.text()).includes('Deliver again'));
});

test('deliveries are chosen by pack, webhook and state, newest first and in pieces', async () => {
  const receiver = await receive(200);
  try {
    const { sandbox, say, settled } = await telling(receiver.url, 'http://127.0.0.1:1/nobody');
    for (let number = 0; number < 30; number += 1) await say(`message ${number}`);
    await settled(60);
    await browser.go(`${sandbox.ui}/webhooks`);
    await browser.says('60 deliveries', '#list');
    await browser.count('#list tbody tr', 50);
    const causes = await browser.driver.executeScript("return [...document.querySelectorAll('#list .made a')].map((a) => +a.textContent.split(' ')[1])");
    assert.deepEqual(causes, [...causes].sort((a, b) => b - a));
    await browser.press('Older ones');
    await browser.says('10 deliveries from here on', '#list');
    await browser.press('The newest');
    await browser.click('[name="state"] option[value="delivered"], [name="state"] option:nth-child(4)');
    await browser.says('30 deliveries', '#list');
    await browser.press('Filter');
    await browser.until('an address to share', async () => (await browser.driver.getCurrentUrl()).includes('state=delivered'));
    await browser.says('30 deliveries', '#list');
    await browser.click('[name="pack"] option:last-child');
    await browser.says('No delivery is like that', '#list');
    await browser.accessible();
  } finally {
    await receiver.stop();
  }
});

test('figures that are posted later wait for their time, and are not posted of what is gone', async () => {
  const receiver = await receive(204);
  try {
    const sandbox = await server.sandbox();
    const token = { ...REPORTEI, 'x-customer-token': `token-${CUSTOMER}` };
    const ask = () => sandbox.api('POST', '/reportei/metrics/get-data-async', {
      customer_integration: INTEGRATION, start: '2024-01-01', end: '2024-09-01', metrics_webhook_url: receiver.url,
      metrics: [{ id: 'told', reference_key: 'ig:story_replies', component: 'number_v1', metrics: ['replies'] }],
    }, token);
    await ask();
    await browser.go(`${sandbox.ui}/webhooks`);
    await browser.press('collected');
    await browser.says('Nothing was sent yet', '#attempts');
    await browser.press('2024-10-01 17:15:22');
    await browser.until('the agenda', async () => (await browser.driver.getCurrentUrl()).endsWith('/ui/clock'));
    await browser.driver.navigate().back();
    await browser.says('live', '#live');
    await sandbox.control('POST', '/clock/advance', { by: '10s' });
    await browser.says('204', '#attempts');
    assert.match(await browser.text('#attempts'), /"values": 55645/);
    await ask();
    await sandbox.control('DELETE', `/state/reportei/integration/${INTEGRATION}`);
    await sandbox.control('POST', '/clock/advance', { by: '10s' });
    const [dropped] = (await sandbox.control('GET', '/webhooks?state=dropped')).records;
    await browser.go(`${sandbox.ui}/webhooks/${dropped.id}`);
    await browser.says(dropped.reason, '#attempts');
    assert.equal(receiver.heard.length, 1);
  } finally {
    await receiver.stop();
  }
});

test('what is not there says so', async () => {
  const sandbox = await server.sandbox();
  for (const [path, words] of [
    ['/webhooks/nothing', 'There is no delivery `nothing`'],
    ['/webhooks?state=lost', 'There is no state `lost`'],
    ['/webhooks?webhook=tell', 'There is no webhook `tell`'],
    ['/webhooks?after=x', 'is the `next` of an earlier answer'],
  ]) {
    await browser.go(sandbox.ui + path);
    await browser.says(words, '#main');
  }
});
