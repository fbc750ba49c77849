// Sandboxes and their snapshots.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open, until } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

let server;
let browser;
before(async () => {
  server = await serve('--freeze', '--sandbox-idle-timeout', '1h');
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// Waits for the question that a form asks, and answers it.
async function answer(yes) {
  const question = await browser.driver.wait(until.alertIsPresent(), 15000);
  const text = await question.getText();
  await (yes ? question.accept() : question.dismiss());
  return text;
}

const plane = (method, where, body) => server.call(method, `/_standin${where}`, body);
const customers = async (id) => {
  const list = await server.call('GET', `/~${id}/reportei/customers`, undefined, REPORTEI);
  return list.body.data.map(({ name }) => name);
};
const FORM = 'form[action$="/sandboxes"]:has([name=seed])';

test('a sandbox is made with an instant, a seed and options, and is the one that is seen then', async () => {
  await browser.go(`${server.url}/_standin/ui/sandboxes`);
  await browser.type(`${FORM} [name=id]`, 'by-hand');
  await browser.type(`${FORM} [name=clock]`, '2025-03-01T08:00:00Z');
  await browser.type(`${FORM} [name=seed]`, '42');
  const choose = async (name, value) => {
    const select = await browser.find(`select[name="${name}"]`);
    await select.findElement({ css: `option[value='${value}']` }).click();
  };
  await choose('mode', 'ticking');
  await choose('option:hubster.get-enums', '"numbers"');
  await choose('option:hubster.put-update', 'true');
  await choose('option:capillary.missing-field-status', '403');
  await browser.press('Make the sandbox');
  await browser.says('The sandbox is made');
  await browser.says('This one: by-hand');
  await browser.at(`${server.url}/~by-hand/_standin/ui/sandboxes`);
  const { body } = await plane('GET', '/sandboxes/by-hand');
  assert.deepEqual([body.seed, body.clock.mode, body.clock.now.slice(0, 13)], [42, 'ticking', '2025-03-01T08']);
  assert.equal(body.options['hubster.get-enums'], 'numbers');
  assert.equal(body.options['hubster.put-update'], true);
  assert.equal(body.options['capillary.missing-field-status'], 403);
  assert.equal(body.options['hubster.fixed-typos'], false);
  const own = await browser.text('tr.own');
  for (const chosen of ['hubster.get-enums=numbers', 'hubster.put-update=true', 'capillary.missing-field-status=403']) {
    assert.ok(own.includes(chosen), own);
  }
  await browser.says(`${server.url}/~by-hand/reportei`, '.urls');
  await browser.click('[data-copy-text$="/reportei"]');
  await browser.says('Copied', '.urls');
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('what cannot be made is told in the words of the control plane, and keeps what was typed', async () => {
  const taken = await server.sandbox();
  await browser.go(`${server.url}/_standin/ui/sandboxes`);
  const refused = async (fields, words) => {
    for (const name of ['id', 'from', 'clock', 'seed']) {
      const field = await browser.find(`${FORM} [name=${name}]`);
      await field.clear();
      if (fields[name]) await field.sendKeys(fields[name]);
    }
    await browser.press('Make the sandbox');
    await browser.says(words, '#problem');
    for (const [name, value] of Object.entries(fields)) {
      await browser.has(`${FORM} [name=${name}]`, 'value', value);
    }
  };
  const before = (await plane('GET', '/sandboxes')).body.total;
  await refused({ id: taken.id }, `There is a sandbox \`${taken.id}\``);
  await refused({ id: 'No Name!' }, '`id`');
  await refused({ id: 'reportei' }, 'is the name of a pack');
  await refused({ from: 'nobody' }, 'There is no sandbox `nobody`');
  await refused({ from: `${taken.id}@nothing` }, 'There is no such snapshot');
  await refused({ seed: 'many' }, '`seed`');
  await refused({ seed: '-1' }, '`seed`');
  await refused({ clock: 'tomorrow' }, '`clock`');
  await refused({ from: '<script>alert(1)</script>' }, '`from`');
  assert.equal((await plane('GET', '/sandboxes')).body.total, before);
  await browser.complaints();
});

test('snapshots are taken, restored, forked and deleted', async () => {
  const sandbox = await server.sandbox();
  const create = (name) => sandbox.api('POST', '/reportei/customers', { name }, REPORTEI);
  await create('Before');
  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.says('There are no snapshots', '#main');
  await browser.type('[name=name]', 'paid');
  await browser.press('Take a snapshot');
  await browser.says('The snapshot is taken.');
  assert.equal((await sandbox.control('GET', '/snapshots/paid')).from, `${sandbox.id}@paid`);
  await browser.type('[name=name]', 'paid');
  await browser.press('Take a snapshot');
  await browser.says('There is a snapshot `paid`', '#problem');
  await browser.type('[name=name]', 'Not A Name');
  await browser.press('Take a snapshot');
  await browser.says('`name`', '#problem');
  await browser.accessible();

  await create('After');
  await sandbox.control('POST', '/clock/advance', { by: '7d' });
  assert.ok((await customers(sandbox.id)).includes('After'));
  await browser.press('Restore paid');
  assert.match(await answer(false), /Restore paid\?/);
  assert.ok((await customers(sandbox.id)).includes('After'));
  await browser.press('Restore paid');
  await answer(true);
  await browser.says('The sandbox is what the snapshot has.');
  const names = await customers(sandbox.id);
  assert.ok(names.includes('Before') && !names.includes('After'), String(names));
  assert.equal((await sandbox.control('GET', '/clock')).now, '2024-10-01T17:15:12Z');

  await create('Elsewhere');
  await browser.type('[aria-label="Id of the fork of paid"]', `${sandbox.id}-fork`);
  await browser.press('Fork paid');
  await browser.says(`This one: ${sandbox.id}-fork`);
  const forked = await customers(`${sandbox.id}-fork`);
  assert.ok(forked.includes('Before') && !forked.includes('Elsewhere'), String(forked));

  // It is gone by the time of the click, and the page says so.
  await browser.go(`${sandbox.ui}/sandboxes`);
  await sandbox.control('DELETE', '/snapshots/paid');
  await browser.press('Restore paid');
  await answer(true);
  await browser.says('There is no such snapshot', '#problem');
  await sandbox.control('POST', '/snapshots', { name: 'second' });
  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.press('Delete second');
  await answer(true);
  await browser.says('The snapshot is deleted.');
  assert.equal((await sandbox.control('GET', '/snapshots')).total, 0);
  await browser.complaints();
});

test('this sandbox is forked and reset, and reset asks first', async () => {
  const sandbox = await server.sandbox({ seed: 7 });
  await sandbox.api('POST', '/reportei/customers', { name: 'Here' }, REPORTEI);
  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.type('form:has(> [value="' + sandbox.id + '"]) [name=id]', `${sandbox.id}-f`);
  await browser.press('Fork');
  await browser.says(`This one: ${sandbox.id}-f`);
  assert.ok((await customers(`${sandbox.id}-f`)).includes('Here'));
  assert.equal((await plane('GET', `/sandboxes/${sandbox.id}-f`)).body.seed, 7);

  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.press(`Reset ${sandbox.id}`);
  assert.match(await answer(false), /Reset the sandbox/);
  assert.ok((await customers(sandbox.id)).includes('Here'));
  await browser.press(`Reset ${sandbox.id}`);
  await answer(true);
  await browser.says('The sandbox begins again.');
  assert.ok(!(await customers(sandbox.id)).includes('Here'));
  assert.deepEqual(await browser.complaints(), []);
});

test('the list follows what happens, also in other sandboxes', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/sandboxes`);
  await browser.says('live', '#live');
  const other = await server.sandbox();
  await sandbox.api('POST', '/reportei/customers', { name: 'x' }, REPORTEI);
  await browser.says(other.id, '#list');
  await browser.until('the entry is counted', async () => (await browser.text('tr.own .number')) === '1');
});

test('a sandbox is deleted, which asks first, and its pages say that it is gone', async () => {
  const own = await server.sandbox();
  const other = await server.sandbox();
  await browser.go(`${own.ui}/sandboxes`);
  await browser.count('#delete-default', 0);
  await browser.press(`Delete ${other.id}`);
  assert.match(await answer(false), /its id is not used again/);
  assert.equal((await plane('GET', `/sandboxes/${other.id}`)).status, 200);
  await browser.press(`Delete ${other.id}`);
  await answer(true);
  await browser.says('The sandbox is deleted.');
  assert.equal((await plane('GET', `/sandboxes/${other.id}`)).status, 410);
  // Its own page goes with a sandbox: one is led to those that there are.
  await browser.press(`Delete ${own.id}`);
  await answer(true);
  await browser.says('This one: default');
  await browser.at(`${server.url}/_standin/ui/sandboxes`);
  assert.equal((await plane('GET', `/sandboxes/${own.id}`)).status, 410);

  for (const page of ['clock', 'timeline', 'sandboxes', 'journal', '']) {
    const answered = await server.call('GET', `/~${own.id}/_standin/ui/${page}`);
    assert.equal(answered.status, 410, page);
    assert.match(answered.headers.get('content-type'), /^text\/html/);
  }
  await browser.complaints();
  await browser.go(`${own.ui}/clock`);
  await browser.says(`The sandbox \`${own.id}\` was deleted`);
  await browser.accessible();
  await browser.press('The sandboxes that there are');
  await browser.says('This one: default');
  await browser.complaints();
});

test('a sandbox that its host name chooses leads to the others', async () => {
  const sandbox = await server.sandbox();
  const other = await server.sandbox();
  await browser.go(`http://${sandbox.id}.reportei.localhost:${server.port}/_standin/ui/sandboxes`);
  await browser.says(`This one: ${sandbox.id}`);
  await browser.press(`Details of ${other.id}`);
  await browser.says(`This one: ${other.id}`);
  await browser.press(`Details of ${sandbox.id}`);
  await browser.press(`Delete ${sandbox.id}`);
  await answer(true);
  await browser.says('This one: default');
  await browser.complaints();
});
