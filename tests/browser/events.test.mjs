// Events of the dashboard: what can happen, had by a click.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { receive } from './lib/receiver.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const CUSTOMER = 'caedbbbe-7d93-476f-b965-bf97cd7ce874';
const INTEGRATION = '4addc0da-8583-4dbb-a0e9-c7e2e8470f50';
const HUB = '00000000-0000-0000-0000-000000000000';
const SYSTEM = '00000000-0000-0000-0000-000000000003';
const TOKEN = { ...REPORTEI, 'x-customer-token': `token-${CUSTOMER}` };

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

const parameter = (name) => `[name="p.${name}"]`;
const choose = (name, value) => browser.click(`${parameter(name)} option[value="${value}"]`);

test('every event of every pack is there, with what it does and where it comes from', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/events`);
  const text = await browser.says('A customer revokes an integration');
  for (const event of (await sandbox.control('GET', '/events')).records) assert.ok(text.includes(event.title), event.title);
  assert.ok(text.includes('assumed') && text.includes('by itself, too') && text.includes('Nothing happens in OptimizePlayer'), text);
  await browser.accessible();
  await browser.press('Support extends the life of tokens');
  await browser.says('up to 30 days once support says so');
  assert.deepEqual(await browser.complaints(), []);
});

test('an integration is revoked by a click on its page, and the API says so', async () => {
  const sandbox = await server.sandbox();
  const status = async () => {
    const answer = await sandbox.api('GET', `/reportei/customer-integrations/${INTEGRATION}`, undefined, TOKEN);
    return answer.customer_integration.status;
  };
  await browser.go(`${sandbox.ui}/records/reportei/integration/${INTEGRATION}`);
  await browser.accessible();
  await browser.press('A customer revokes an integration');
  await browser.says('It has happened');
  await browser.says('event revoke', '#facts');
  assert.equal(await status(), 'revoked');
  await browser.press('A customer connects a network again');
  await browser.says('event reconnect', '#facts');
  assert.equal(await status(), 'active');
});

test('an event is fired with its parameters, and shows what it did and told', async () => {
  const receiver = await receive(200);
  try {
    const sandbox = await server.sandbox();
    await sandbox.control('PATCH', `/state/hubster/integration/${SYSTEM}`, { webhookUrl: receiver.url });
    await browser.go(`${sandbox.ui}/events/hubster/send-activity`);
    await browser.says('Hubster Demo');
    await browser.accessible();
    await choose('hubId', HUB);
    await choose('from', 'customer');
    await browser.type(parameter('text'), 'Where is "my" <b>order</b>?');
    await browser.type(parameter('profile'), '{"name": "Ana"}');
    await browser.press('Somebody says something');
    await browser.says('What it did');
    await browser.says('create', '#fired');
    await browser.says('tell-system', '#fired');
    await browser.says('delivered', '#fired');
    const heard = JSON.parse(receiver.heard[0].body);
    assert.equal(heard.activities[0].message.text, 'Where is "my" <b>order</b>?');
    assert.deepEqual(heard.conversationProperties.profile, { name: 'Ana' });
    await browser.accessible();
    await browser.press('tell-system');
    await browser.says('Attempt 1');
    assert.deepEqual(await browser.complaints(), []);
  } finally {
    await receiver.stop();
  }
});

test('what an event that a record takes needs besides is asked for on the page of the record', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}`);
  await browser.click('.taking summary');
  await choose('network', 'facebook_ads');
  await browser.click('.taking button.primary');
  await browser.says('It has happened');
  await browser.says('2 × integration', '#facts');
  const list = await sandbox.api('GET', '/reportei/customer-integrations', undefined, TOKEN);
  assert.deepEqual(list.data.map((one) => one.integration.slug).sort(), ['facebook_ads', 'instagram_business']);
});

test('a refusal stands at the form in the words of the control plane, and nothing has happened', async () => {
  const sandbox = await server.sandbox();
  const total = async () => (await sandbox.control('GET', '/log')).total;
  await browser.go(`${sandbox.ui}/events/hubster/send-activity`);
  await browser.press('Somebody says something');
  const said = await browser.says('does not fit', '#problem');
  assert.match(said, /from[\s\S]*required|required[\s\S]*from/);
  await choose('from', 'customer');
  await browser.type(parameter('text'), 'Hello');
  await browser.press('Somebody says something');
  await browser.says('Give the `hubId` of a hub that there is', '#problem');
  await browser.has(parameter('text'), 'value', 'Hello');
  await browser.type(parameter('profile'), 'Ana');
  await browser.press('Somebody says something');
  await browser.says('`profile` is not JSON', '#problem');
  await browser.accessible();
  await browser.go(`${sandbox.ui}/events/capillary/extend-token-life?p.org=1`);
  await browser.type(parameter('seconds'), 'a while');
  await browser.press('Support extends the life of tokens');
  await browser.says('/seconds', '#problem');
  assert.equal(await total(), 0);
  await browser.type(parameter('seconds'), '86400');
  await browser.press('Support extends the life of tokens');
  await browser.says('What it did');
  assert.equal((await sandbox.control('GET', '/state/capillary/org/1')).tokenLimit, 86400);
});

test('a record that an event needs and that is gone meanwhile is named', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/events/reportei/revoke?p.uuid=${INTEGRATION}`);
  await sandbox.control('DELETE', `/state/reportei/integration/${INTEGRATION}`);
  await browser.press('A customer revokes an integration');
  await browser.says(INTEGRATION, '#problem');
  assert.match(await browser.text('#problem'), /record-unknown/);
});

test('of very many records one is typed, with suggestions', async () => {
  const sandbox = await server.sandbox();
  for (let number = 0; number < 201; number += 1) {
    await sandbox.control('POST', '/state/capillary/org', { id: 2000 + number, name: `Org ${number}` });
  }
  await browser.go(`${sandbox.ui}/events/capillary/extend-token-life`);
  await browser.count(`select${parameter('org')}`, 0);
  await browser.count('datalist option', 200);
  await browser.type(parameter('org'), '2200');
  await browser.type(parameter('seconds'), '60');
  await browser.press('Support extends the life of tokens');
  await browser.says('What it did');
  assert.equal((await sandbox.control('GET', '/state/capillary/org/2200')).tokenLimit, 60);
  await browser.accessible();
});

test('what is not there says so', async () => {
  const sandbox = await server.sandbox();
  for (const [path, words] of [
    ['/events/nobody/revoke', 'There is no pack `nobody`'],
    ['/events/reportei/revoked', 'has no event `revoked`'],
    ['/events/reportei/revoke?fired=77', 'There is no entry 77'],
  ]) {
    await browser.go(sandbox.ui + path);
    await browser.says(words, '#main');
  }
});
