// Stubs and their scenarios on the dashboard.
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

// Presses what a live part may replace at any moment.
const click = (css) => browser.until(`${css} is pressed`, async () => {
  await (await browser.find(css)).click();
  return true;
});
const value = async (css) => browser.attribute(css, 'value');

test('a stub of the form answers, and the list tells how often', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/stubs`);
  await browser.says('There are no stubs');
  await browser.accessible();
  await browser.press('New stub');
  await (await browser.find('[name="method"] option:nth-child(3)')).click();
  await browser.type('[name="place"]', '/shop/orders');
  await browser.type('[name="status"]', '503');
  await browser.type('[name="body"]', '{"message": "<b>closed</b>"}');
  await browser.press('Name, priority, how often, scenario');
  await browser.type('[name="name"]', 'shop is closed');
  await browser.type('[name="times"]', '1');
  await browser.accessible();
  await browser.press('Make the stub');
  await browser.says('The stub answers from now on');
  await browser.says('shop is closed', 'h1');
  await browser.says('nothing yet', '#facts');
  await browser.says('live', '#live');
  await browser.accessible();
  const answer = await sandbox.call('POST', '/shop/orders', {});
  assert.equal(answer.status, 503);
  assert.deepEqual(answer.body, { message: '<b>closed</b>' });
  assert.equal(answer.headers.get('content-type'), 'application/json');
  await browser.says('1 request', '#facts');
  await browser.go(`${sandbox.ui}/stubs`);
  await browser.says('used up', '#stubs');
  await browser.says('{"message":"<b>closed</b>"}', '#stubs');
  await browser.accessible();
  assert.notEqual((await sandbox.call('POST', '/shop/orders', {})).status, 503);
  assert.deepEqual(await browser.complaints(), []);
});

test('a stub is made of JSON, changed, and removed after a question', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/stubs/new`);
  await browser.type('[name="JSON"]', '{"request": {"url": "/parcel"}, "response": {"body": "on its way", "fixedDelay": 3}}');
  await browser.press('Make it of this JSON');
  await browser.says('fixedDelay', '#problem');
  assert.match(await value('[name="JSON"]'), /fixedDelay/);
  assert.equal((await sandbox.control('GET', '/stubs')).total, 0);
  await browser.type('[name="JSON"]', '{"request": ');
  await browser.press('Make it of this JSON');
  await browser.says('is not JSON', '#problem');
  await browser.type('[name="JSON"]', '{"request": {"url": "/parcel"}, "response": {"body": "on its way"}}');
  await browser.press('Make it of this JSON');
  await browser.says('The stub answers from now on');
  assert.equal((await sandbox.api('GET', '/parcel')), 'on its way');
  await browser.type('[name="JSON"]', '{"request": {"url": "/parcel"}, "response": {"body": "delivered"}}');
  await browser.press('Change the stub');
  await browser.says('The stub is changed');
  assert.equal((await sandbox.api('GET', '/parcel')), 'delivered');
  assert.equal((await sandbox.control('GET', '/stubs')).total, 1);
  await browser.press('Remove this stub');
  await browser.driver.switchTo().alert().accept();
  await browser.says('The stub is removed');
  assert.equal((await sandbox.call('GET', '/parcel')).status, 404);
});

test('an exchange of the journal becomes a stub that answers the same', async () => {
  const sandbox = await server.sandbox();
  const first = await sandbox.call('GET', '/reportei/customers?per_page=2', undefined, REPORTEI);
  await browser.go(`${sandbox.ui}/stubs/new?entry=${first.headers.get('standin-entry')}`);
  assert.equal(await value('[name="place"]'), '/reportei/customers?per_page=2');
  assert.equal(await value('[name="kind"]'), 'url');
  await browser.press('Make the stub');
  await browser.says('The stub answers from now on');
  const again = await sandbox.call('GET', '/reportei/customers?per_page=2');
  assert.ok(again.headers.get('standin-stub'));
  assert.deepEqual(again.body, first.body);
  // What the journal masks cannot be answered by a stub either: the page says so.
  const made = await sandbox.call('POST', '/reportei/customers', { name: 'Padaria' }, REPORTEI);
  assert.equal(made.status, 201);
  await browser.go(`${sandbox.ui}/stubs/new?entry=${made.headers.get('standin-entry')}`);
  await browser.says('masks secrets');
  await browser.go(`${sandbox.ui}/stubs/new?entry=999`);
  await browser.says('entry-unknown');
});

test('scenarios are shown, put into a state, and reset', async () => {
  const sandbox = await server.sandbox();
  const story = (required, next, body) => ({
    request: { url: '/invoice' }, response: { body }, scenarioName: 'the invoice', requiredScenarioState: required, newScenarioState: next,
  });
  await sandbox.control('POST', '/stubs', { mappings: [story('Started', 'paid', 'open'), story('paid', 'paid', 'paid')] });
  await browser.go(`${sandbox.ui}/stubs`);
  await browser.says('the invoice', '#stubs');
  await browser.says('live', '#live');
  assert.equal(await sandbox.api('GET', '/invoice'), 'open');
  await browser.says('paid', '.states .pill');
  await browser.accessible();
  await click('[aria-label="State of the invoice"] option:first-child');
  // What is chosen stays while requests come.
  assert.equal(await sandbox.api('GET', '/invoice'), 'paid');
  await browser.until('both have answered', async () => {
    const counts = await browser.driver.executeScript("return [...document.querySelectorAll('#stubs tbody a[href*=\"?stub=\"]')].map((link) => link.textContent)");
    return counts.length === 2;
  });
  assert.equal(await value('[aria-label="State of the invoice"]'), 'Started');
  await click('[aria-label="Set the state of the invoice"]');
  await browser.says('The scenario is in this state');
  assert.equal(await sandbox.api('GET', '/invoice'), 'open');
  await browser.says('paid', '.states .pill');
  await click('#reset-scenarios');
  await browser.says('All scenarios are in their first state');
  assert.equal(await sandbox.api('GET', '/invoice'), 'open');
  await click('#clear-stubs');
  await browser.driver.switchTo().alert().accept();
  await browser.says('There are no stubs');
  assert.equal((await sandbox.control('GET', '/stubs')).total, 0);
});
