// The clock, what is to come, and the time line.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { open, until } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const BEGIN = '2024-10-01T17:15:12Z';
const EXPIRES = '2024-11-30T17:15:12Z';
const INTEGRATION = '6110b666-0327-4a81-b48e-9feb34d72f78';
const CUSTOMER = 'caedbbbe-7d93-476f-b965-bf97cd7ce874';

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

const still = () => server.sandbox({ mode: 'frozen' });
const now = async (sandbox) => (await sandbox.control('GET', '/clock')).now;

// Waits for the question that a form asks, and answers it.
async function answer(yes) {
  const question = await browser.driver.wait(until.alertIsPresent(), 15000);
  const text = await question.getText();
  await (yes ? question.accept() : question.dismiss());
  return text;
}

// A port that nobody listens on.
async function closedPort() {
  const listener = net.createServer();
  await new Promise((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address();
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

test('a trial ends by a click on a week', async () => {
  const sandbox = await still();
  const where = '/reportei/customer-integrations';
  const customer = { ...REPORTEI, 'x-customer-token': `token-${CUSTOMER}` };
  assert.equal((await sandbox.call('GET', where, undefined, customer)).status, 200);
  await browser.go(`${sandbox.ui}/clock`);
  await browser.press('+ 1 week');
  await browser.says('The time moved on.');
  await browser.says('Nothing was due', '#main');
  await browser.says('2024-10-08 17:15:12', '#face');
  assert.equal(await now(sandbox), '2024-10-08T17:15:12Z');
  assert.equal((await sandbox.call('GET', where, undefined, customer)).status, 401);
  await browser.press('Time line');
  await browser.says('Time moved on by 7 days', '#days');
  await browser.says('7 days later', '#days');
  await browser.says('401', '#days');
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('the clock goes to the next thing, and the page says what that did', async () => {
  const sandbox = await still();
  await browser.go(`${sandbox.ui}/clock`);
  await browser.says('in 60 days', '#coming');
  await browser.press('To the next thing, in 60 days');
  await browser.says('What happened on the way');
  await browser.says(`integration ${INTEGRATION} changed`, '.told');
  await browser.says('Nothing is to happen by itself', '#coming');
  assert.equal(await now(sandbox), EXPIRES);
  const record = await sandbox.control('GET', `/state/reportei/integration/${INTEGRATION}`);
  assert.equal(record.status, 'expired');
  const link = await browser.find('.told-changes a');
  assert.ok((await link.getAttribute('href')).endsWith(`/records/reportei/integration/${INTEGRATION}`));
  await browser.accessible();

  // There is no next thing now, and the control plane says so where one is.
  await browser.press('To the next thing');
  await browser.says('The agenda is empty', '#problem');
  assert.equal(await now(sandbox), EXPIRES);
  // What an advance did is an address.
  await browser.driver.navigate().refresh();
  await browser.says(`integration ${INTEGRATION} changed`, '.told');
  assert.deepEqual((await browser.complaints()).filter((text) => !text.includes('409')), []);
});

test('a length and an instant are typed, and what is wrong with them is said in place', async () => {
  const sandbox = await still();
  await browser.go(`${sandbox.ui}/clock`);
  await browser.type('[name=by]:not([type=hidden])', 'a fortnight');
  await browser.press('Advance');
  await browser.says('`by`', '#problem');
  await browser.has('[name=by]:not([type=hidden])', 'value', 'a fortnight');
  assert.equal(await now(sandbox), BEGIN);
  await browser.type('[name=by]:not([type=hidden])', '1h 30m');
  await browser.press('Advance');
  await browser.says('2024-10-01 18:45:12', '#face');
  await browser.type('[name=to]:not([type=hidden])', '2024-09-01T00:00:00Z');
  await browser.press('Advance to it');
  await browser.says('time does not run backwards here', '#problem');
  await browser.type('[name=to]:not([type=hidden])', '2024-12-24T08:00:00Z');
  await browser.press('Advance to it');
  await browser.says('2024-12-24 08:00:00', '#face');
  assert.equal(await now(sandbox), '2024-12-24T08:00:00Z');
  await browser.complaints();
});

test('the clock is set back, and nothing is undone', async () => {
  const sandbox = await still();
  await sandbox.control('POST', '/clock/advance', { to: 'next' });
  await browser.go(`${sandbox.ui}/clock`);
  await browser.type('[name=now]', '2024-10-05T00:00:00Z');
  await browser.press('Set the clock');
  await browser.says('The clock is set.');
  assert.equal(await now(sandbox), '2024-10-05T00:00:00Z');
  assert.equal((await sandbox.control('GET', `/state/reportei/integration/${INTEGRATION}`)).status, 'expired');
  await browser.go(`${sandbox.ui}/timeline`);
  await browser.says('The clock was set back by 56 days 17 hours', '#days');
  await browser.says('56 days 17 hours earlier', '#days');
  assert.deepEqual(await browser.complaints(), []);
});

test('a frozen clock does not move on the page, and a ticking one does', async () => {
  const sandbox = await still();
  await browser.go(`${sandbox.ui}/clock`);
  await browser.says('live', '#live');
  const shown = () => browser.text('#face .clock-now');
  assert.equal(await shown(), '2024-10-01 17:15:12');
  await browser.press('Let it tick');
  await browser.says('The clock ticks.');
  assert.equal((await sandbox.control('GET', '/clock')).mode, 'ticking');
  await browser.until('the page ticks', async () => (await shown()) > '2024-10-01 17:15:13');
  await browser.click('#clock-mode');
  await browser.says('The clock stands still.');
  const stopped = await now(sandbox);
  assert.equal(await shown(), stopped.slice(0, 19).replace('T', ' '));
  // The page writes its clocks anew again and again: twice is enough.
  await browser.driver.executeAsyncScript(`
    const done = arguments[0];
    let left = 2;
    const observer = new MutationObserver(() => {
      left -= 1;
      if (left === 0) { observer.disconnect(); done(); }
    });
    observer.observe(document.querySelector('#face .clock-now'), { childList: true });`);
  assert.equal(await shown(), stopped.slice(0, 19).replace('T', ' '));
  assert.equal(await now(sandbox), stopped);
  assert.deepEqual(await browser.complaints(), []);
});

test('the bar of every page stops the clock and moves it, and stays on the page', async () => {
  const sandbox = await still();
  await sandbox.control('PUT', '/clock', { now: '2024-11-30T00:00:00Z' });
  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.says('live', '#live');
  await browser.type('[name=seed]', '77');
  await browser.press('Advance the clock by 1 day');
  await browser.says('3 things happened', '#quick-said');
  await browser.says('2024-12-01 00:00:00', '.clock');
  assert.equal(await now(sandbox), '2024-12-01T00:00:00Z');
  await browser.press('Let the clock tick');
  await browser.says('Freeze', '#quick-mode');
  assert.equal((await sandbox.control('GET', '/clock')).mode, 'ticking');
  await browser.press('Freeze the clock');
  await browser.says('Tick', '#quick-mode');
  assert.equal((await sandbox.control('GET', '/clock')).mode, 'frozen');
  // Somebody else moves it: the bar follows.
  await sandbox.control('PUT', '/clock', { mode: 'ticking' });
  await browser.says('Freeze', '#quick-mode');
  await browser.has('[name=seed]', 'value', '77');
  await browser.press('3 things happened');
  await browser.says('What happened on the way');
  assert.deepEqual(await browser.complaints(), []);
});

test('what is asked for appears, is gone to or cancelled, and asks before that', async () => {
  const sandbox = await still();
  await browser.go(`${sandbox.ui}/clock`);
  await browser.says('live', '#live');
  const ask = (after) => sandbox.control('POST', '/clock/agenda', {
    pack: 'reportei', event: 'expire', after, input: { uuid: INTEGRATION },
  });
  const first = await ask('2h');
  const second = await ask('3 days');
  await browser.says('in 2 hours', '#coming');
  await browser.says(`expire reportei {"uuid":"${INTEGRATION}"}`, '#coming');
  await browser.says('in 3 days', '#coming');
  await browser.click(`#cancel-${second.id}`);
  assert.match(await answer(false), /Take expire at 2024-10-04T17:15:12Z off the agenda\?/);
  assert.equal((await sandbox.call('GET', `/_standin/clock/agenda/${second.id}`)).status, 200);
  await browser.click(`#cancel-${second.id}`);
  await answer(true);
  await browser.says('It will not happen.');
  assert.equal((await sandbox.call('GET', `/_standin/clock/agenda/${second.id}`)).status, 404);
  await browser.click(`#to-${first.id}`);
  await browser.says('What happened on the way');
  assert.equal(await now(sandbox), '2024-10-01T19:15:12Z');
  assert.equal((await sandbox.control('GET', `/state/reportei/integration/${INTEGRATION}`)).status, 'expired');

  // It is taken back in another tab while this page is open and knows nothing of it.
  const third = await ask('1h');
  await browser.find(`#cancel-${third.id}`);
  await browser.driver.executeScript(`
    const form = document.getElementById('cancel-${third.id}').closest('form').cloneNode(true);
    form.removeAttribute('data-confirm');
    form.id = 'stale';
    form.querySelector('button').id = 'stale-button';
    document.getElementById('move').after(form);
    htmx.process(form);`);
  await sandbox.control('DELETE', `/clock/agenda/${third.id}`);
  await browser.click('#stale-button');
  await browser.says('it has happened, or was taken back', '#problem');
  await browser.complaints();
});

test('webhooks that nobody takes are told with every attempt, and what is left of them stands in the agenda', async () => {
  const sandbox = await still();
  const url = `http://127.0.0.1:${await closedPort()}/hook`;
  const { records } = await sandbox.control('GET', '/state/hubster/integration');
  const direct = records.find((record) => record.channelId === 'Direct');
  await sandbox.control('PATCH', `/state/hubster/integration/${direct.integrationId}`, { webhookUrl: url });
  await sandbox.control('POST', '/events/hubster/send-activity', { hubId: direct.hubId, from: 'customer', text: 'hello' });
  await browser.go(`${sandbox.ui}/clock`);
  await browser.says('live', '#live');
  await browser.type('[name=by]:not([type=hidden])', '13m');
  await browser.press('Advance');
  await browser.says('What happened on the way');
  const told = await browser.text('.told');
  for (const attempt of [2, 3, 4]) assert.ok(told.includes(`tell-direct attempt ${attempt} to ${url}`), told);
  assert.match(told, /unreachable/);
  await browser.says('tell-direct attempt 5', '#coming');
  await browser.says('in 7 minutes', '#coming');
  await browser.accessible();

  await browser.go(`${sandbox.ui}/timeline#now`);
  const story = await browser.says('2 minutes later', '#days');
  assert.ok(story.includes('4 minutes later') && story.includes('6 minutes later'), story);
  await browser.says('live', '#live');
  await browser.until('the page is at now', async () => browser.driver.executeScript(
    'const box = document.getElementById("now").getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight;'));
  // What comes appears, before what is still to come.
  await sandbox.control('POST', '/clock/advance', { to: 'next' });
  await browser.until('attempt 5 is told', async () => {
    const kinds = await browser.driver.executeScript(`
      const rows = [...document.querySelectorAll('.told-row')];
      const at = (text) => rows.findIndex((row) => row.textContent.includes(text));
      return [at('attempt 5'), rows.findIndex((row) => row.id === 'now'), at('attempt 6')];`);
    return kinds[0] > 0 && kinds[0] < kinds[1] && kinds[1] < kinds[2];
  });
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('the time line tells edits, requests and settings, is bounded, and older entries are behind a link', async () => {
  const sandbox = await still();
  await browser.go(`${sandbox.ui}/timeline`);
  await browser.says('Here it begins', '#days');
  await sandbox.control('PATCH', `/state/reportei/customer/${CUSTOMER}`, { name: '<b>Bold</b>' });
  await sandbox.call('GET', '/reportei/<b>nowhere</b>', undefined, REPORTEI);
  await sandbox.control('POST', '/clock/agenda', { pack: 'reportei', event: 'expire', after: '1d', input: { uuid: INTEGRATION } });
  for (let count = 0; count < 205; count += 1) await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.go(`${sandbox.ui}/timeline`);
  await browser.count('.told-exchange', 200);
  await browser.press('Older');
  await browser.says('edited by hand', '#days');
  await browser.says('no operation has this', '#days');
  await browser.says('POST /clock/agenda asked of the sandbox', '#days');
  await browser.count('.told-row', 8);
  await browser.count('#days b', 0);
  await browser.accessible();
  await browser.press('The newest');
  await browser.says('Older', '#days');
  assert.deepEqual(await browser.complaints(), []);
});

test('at the edge of the calendar nothing goes beyond it', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen', clock: '9999-12-30T21:30:00Z' });
  await browser.go(`${sandbox.ui}/clock`);
  await browser.press('+ 1 week');
  await browser.says('9999-12-30 22:00:00', '#face');
  assert.equal(await now(sandbox), '9999-12-30T22:00:00Z');
  await browser.press('Let it tick');
  await browser.says('The clock ticks.');
  await browser.click('#clock-mode');
  await browser.says('9999-12-30 22:00:00', '#face');
  await browser.go(`${sandbox.ui}/timeline`);
  await browser.says('Thursday, 30 December 9999', '#days');
  assert.deepEqual(await browser.complaints(), []);
});

test('without a script every form works, and comes back to where it was', async () => {
  const sandbox = await still();
  const plain = await open({ javascript: false });
  try {
    await plain.go(`${sandbox.ui}/sandboxes?after=0`);
    await plain.press('Advance the clock by 1 day');
    await plain.says('The time moved on.');
    await plain.at(/\/sandboxes\?after=0&done=advanced$/);
    assert.equal(await now(sandbox), '2024-10-02T17:15:12Z');
    await plain.press('Let the clock tick');
    await plain.says('The clock ticks.');
    await plain.at(/\/sandboxes\?after=0&done=clock-mode$/);
    await plain.go(`${sandbox.ui}/clock`);
    await plain.click('#clock-mode');
    await plain.says('The clock stands still.');
    await plain.press('+ 1 week');
    await plain.says('Nothing was due');
    await plain.type('[name=by]:not([type=hidden])', 'soon');
    await plain.press('Advance');
    await plain.says('`by`');
  } finally {
    await plain.close();
  }
});
