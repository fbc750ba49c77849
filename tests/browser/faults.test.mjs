// Faults and rate limits of the dashboard.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

let server;
let browser;
before(async () => {
  server = await serve();
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// Chooses in a list by the value of an option.
const choose = async (name, value) => (await browser.find(`[name="${name}"] option[value="${value}"]`)).click();
// Presses what a live part may replace at any moment.
const click = (css) => browser.until(`${css} is pressed`, async () => {
  await (await browser.find(css)).click();
  return true;
});
const list = (sandbox) => sandbox.call('GET', '/reportei/customers', undefined, REPORTEI);

test('a rule that is added makes the API answer so, and tells live how often it has applied', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/faults`);
  await browser.says('Nothing goes wrong');
  await browser.accessible();
  await choose('target', 'operation:reportei/customers/list');
  await choose('what', 'error:too-large');
  await browser.type('[name="count"]', '2');
  await browser.press('Add the rule');
  await browser.says('The rule is in force');
  assert.match(await browser.text('#rules'), /reportei\/customers\/list\s+error too-large\s+each, 2 times at most\s+0/);
  await browser.says('live', '#live');
  assert.equal((await list(sandbox)).status, 413);
  await browser.until('one is counted', async () => (await browser.text('#rule-1 td:nth-child(5)')) === '1');
  assert.equal((await list(sandbox)).status, 413);
  assert.equal((await list(sandbox)).status, 200);
  await browser.says('used up', '#rules');
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('a rule is changed and keeps its count, and one is removed', async () => {
  const sandbox = await server.sandbox();
  const rules = [{ operation: 'reportei/customers/list', error: 'too-large' }, { pack: 'hubster', latency: '1ms' }];
  await sandbox.control('PUT', '/faults', { faults: rules });
  await list(sandbox);
  await browser.go(`${sandbox.ui}/faults`);
  await click('[aria-label="Change rule 1"]');
  await browser.says('Rule 1', 'h1');
  await browser.accessible();
  await browser.has('[name="target"]', 'value', 'operation:reportei/customers/list');
  await choose('what', 'fault:malformed-body');
  await choose('when', 'after');
  await browser.type('[name="share"]', '100%');
  await browser.press('Change the rule');
  await browser.says('The rule is changed');
  const changed = { operation: 'reportei/customers/list', share: '100%', fault: 'malformed-body', when: 'after', applied: 1 };
  assert.deepEqual((await sandbox.control('GET', '/faults')).faults[0], changed);
  const broken = await list(sandbox);
  assert.equal(broken.status, 200);
  assert.equal(typeof broken.body, 'string', 'the body is cut, and no JSON');
  await click('[aria-label="Remove rule 1"]');
  await browser.says('The rule is removed');
  assert.deepEqual((await sandbox.control('GET', '/faults')).faults, [{ ...rules[1], applied: 0 }]);
  assert.equal(typeof (await list(sandbox)).body, 'object');
});

test('a rule that somebody else has changed meanwhile is left alone', async () => {
  const sandbox = await server.sandbox();
  await sandbox.control('PUT', '/faults', { faults: [{ latency: '1ms' }] });
  await browser.go(`${sandbox.ui}/faults/1`);
  await sandbox.control('PUT', '/faults', { faults: [{ latency: '2ms' }] });
  await browser.press('Change the rule');
  await browser.says('somebody has changed the rules', '#problem');
  assert.equal((await sandbox.control('GET', '/faults')).faults[0].latency, '2ms');
});

test('what cannot be a rule is said by the control plane, and what was typed stays', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/faults`);
  await browser.type('[name="share"]', '150%');
  await browser.type('[name="latency"]', 'soon');
  await browser.press('Add the rule');
  await browser.says('2 mistakes; nothing was changed', '#problem');
  await browser.says('/faults/0/share', '#problem');
  await browser.has('[name="latency"]', 'value', 'soon');
  await browser.go(`${sandbox.ui}/faults/json`);
  await browser.accessible();
  await browser.type('[name="JSON"]', '{"faults": [{"operation": "reportei/customers/lisst", "latency": "1s"}]}');
  await browser.press('Put in place');
  await browser.says('reportei/customers/lisst', '#problem');
  await browser.says('setting-invalid', '#problem');
  await browser.type('[name="JSON"]', '{"faults": [');
  await browser.press('Put in place');
  await browser.says('is not JSON', '#problem');
  assert.deepEqual((await sandbox.control('GET', '/faults')).faults, []);
  await browser.type('[name="JSON"]', '{"faults": [{"operation": "reportei/customers/list", "error": "too-large"}]}');
  await browser.press('Put in place');
  await browser.says('These rules are in force');
  assert.equal((await list(sandbox)).status, 413);
});

test('all rules go after a question only', async () => {
  const sandbox = await server.sandbox();
  await sandbox.control('PUT', '/faults', { faults: [{ latency: '1ms' }] });
  await browser.go(`${sandbox.ui}/faults`);
  await browser.press('Remove all');
  await browser.driver.switchTo().alert().dismiss();
  assert.equal((await sandbox.control('GET', '/faults')).faults.length, 1);
  await browser.press('Remove all');
  await browser.driver.switchTo().alert().accept();
  await browser.says('No more faults');
  assert.deepEqual((await sandbox.control('GET', '/faults')).faults, []);
});

test('a limit is set, used up while one watches, given back, and removed', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  await browser.go(`${sandbox.ui}/limits`);
  await browser.says('Nothing is limited');
  await choose('pack', 'reportei');
  await browser.type('[name="quota"]', '1');
  await browser.type('[name="window"]', 'a minute or so');
  await browser.press('Add the limit');
  await browser.says('window', '#problem');
  await browser.has('[name="quota"]', 'value', '1');
  await browser.type('[name="window"]', '1m');
  await browser.press('Add the limit');
  await browser.says('These limits are in force');
  await browser.says('Nobody has used anything of it', '#limits');
  await browser.says('live', '#live');
  assert.equal((await list(sandbox)).status, 200);
  await browser.says('used up', '#limits');
  await browser.accessible();
  assert.equal((await list(sandbox)).status, 429);
  await browser.press('Give everybody the whole quota');
  await browser.says('Everybody has the whole quota again');
  assert.equal((await list(sandbox)).status, 200);
  await click('[aria-label="Remove the limit of reportei: 1 in 1m"]');
  await browser.says('The limit is removed');
  assert.deepEqual((await sandbox.control('GET', '/limits')).limits, []);
  await browser.go(`${sandbox.ui}/limits/json`);
  await browser.type('[name="JSON"]', '{"limits": [{"pack": "hubster", "quota": 3, "window": "1h"}]}');
  await browser.press('Put in place');
  await browser.says('hubster: 3 requests in 1h', '#limits');
  await browser.press('Remove all');
  await browser.driver.switchTo().alert().accept();
  await browser.says('No more limits');
  assert.deepEqual((await sandbox.control('GET', '/limits')).limits, []);
  // Refused forms are told to the console, by the browser and by htmx.
  const told = /responded with a status of 4|Response Status Error Code 4/;
  assert.deepEqual((await browser.complaints()).filter((line) => !told.test(line)), []);
});

test('what somebody fills in stays while others call', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/faults`);
  await browser.says('live', '#live');
  await browser.type('[name="latency"]', '5ms');
  await sandbox.control('PUT', '/faults', { faults: [{ operation: 'reportei/customers/show', latency: '1ms' }] });
  await browser.says('reportei/customers/show', '#rules');
  const field = await browser.driver.switchTo().activeElement();
  assert.equal(await field.getAttribute('name'), 'latency');
  assert.equal(await field.getAttribute('value'), '5ms');
  await browser.count('#problem *', 0);
});
