// The journal of the dashboard.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { By, Key, open } from './lib/browser.mjs';
import { call, REPORTEI, serve } from './lib/server.mjs';

let server;
let browser;
before(async () => {
  server = await serve();
  browser = await open({ width: 1440 });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const address = () => browser.driver.getCurrentUrl();
const rows = () => browser.driver.executeScript('return [...document.querySelectorAll("[data-row]")].map((row) => row.textContent)');
const accept = () => browser.driver.switchTo().alert().accept();
const customer = async (sandbox, name = 'Anna') =>
  (await sandbox.api('POST', '/reportei/customers', { name }, REPORTEI)).customer;

test('what is asked appears by itself, and soon', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/`);
  await browser.says('Nothing was asked yet');
  await browser.accessible();
  await browser.says('live', '#live');
  await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.says('/customers', '#list');
  const waited = await browser.driver.executeAsyncScript(`
    const done = arguments[arguments.length - 1];
    const begin = performance.now();
    new MutationObserver((_, seen) => {
      if (!document.getElementById('list').textContent.includes('/soon')) return;
      seen.disconnect();
      done(performance.now() - begin);
    }).observe(document.getElementById('list'), { childList: true, subtree: true });
    fetch(arguments[0] + '/reportei/soon');`, sandbox.base);
  assert.ok(waited < 2000, `${waited} ms`);
  await browser.says('documented', '#list');
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []
    .concat([`${sandbox.base}/reportei/soon - Failed to load resource: the server responded with a status of 404 (Not Found)`]));
});

test('one types, and sees what fits; the address says it', async () => {
  const sandbox = await server.sandbox();
  const { uuid } = await customer(sandbox, 'Needle');
  await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI);
  await sandbox.call('GET', '/reportei/costumers', undefined, REPORTEI);
  await sandbox.api('GET', '/hubster/api/v1/hubs', undefined, { authorization: 'Bearer hubster-portal-token' });
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('4 exchanges', '#list');

  // `/` leads to the field; the body is searched, too.
  await browser.driver.findElement(By.css('body')).sendKeys('/');
  assert.equal(await browser.driver.executeScript('return document.activeElement.name'), 'text');
  await browser.driver.switchTo().activeElement().sendKeys(`update ${uuid}`);
  await browser.says('No exchange fits', '#list');
  await browser.type('[name=text]', 'needle');
  await browser.until('one row', async () => (await rows()).length === 2 || (await rows()).length === 1);
  await browser.at(/\?text=needle$/);
  await browser.driver.navigate().refresh();
  await browser.has('[name=text]', 'value', 'needle');
  assert.ok((await rows()).length < 4);

  await browser.press('Show all');
  await browser.says('4 exchanges', '#list');
  await browser.click('[name=unmatched]');
  await browser.until('the one that nothing answered', async () => (await rows()).join() === '/costumers');
  await browser.at(/\?unmatched=true$/);
  await browser.click('[name=unmatched]');
  await browser.click('[name=pack] option:nth-child(3)');
  await browser.until('those of hubster', async () => (await rows()).join() === '/api/v1/hubs');
  await browser.at(/\?pack=hubster$/);
  await browser.until('operations of other packs are not offered', () => browser.driver.executeScript('return document.querySelector("optgroup[label=reportei]").disabled'));
  await browser.press('Show all');
  for (const [name, value, wanted] of [
    ['method', 'POST', '/customers'],
    ['status', '4xx', '/costumers'],
    ['operation', 'reportei/customers/create', '/customers'],
  ]) {
    await browser.go(`${sandbox.ui}/journal`);
    await browser.click(`[name=${name}] option[value="${value}"], [name=${name}] optgroup option[value="${value}"]`).catch(async () => {
      const options = await browser.all(`[name=${name}] option`);
      for (const option of options) if ((await option.getText()) === value) await option.click();
    });
    await browser.until(`${name} chosen`, async () => (await rows()).join() === wanted);
    await browser.at(`${name}=${encodeURIComponent(value)}`);
  }

  // What a link brings stays when one types, and what cannot be meant is told with the control plane's words.
  await browser.go(`${sandbox.ui}/journal?path=/customers`);
  await browser.says('path /customers', '#filter');
  await browser.type('[name=text]', 'needle');
  await browser.until('both count', async () => (await address()).endsWith('?text=needle&path=%2Fcustomers'));
  await browser.go(`${sandbox.ui}/journal?status=4x`);
  await browser.says('a number from 100 to 599', '.problem');
});

test('keys lead through the list, and a list that is paused stays', async () => {
  const sandbox = await server.sandbox();
  for (const name of ['a', 'b', 'c']) await sandbox.call('GET', `/reportei/${name}`, undefined, REPORTEI);
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  const focused = () => browser.driver.executeScript('return document.activeElement.textContent');
  const press = (key) => browser.driver.switchTo().activeElement().sendKeys(key);
  await press('j');
  assert.equal(await focused(), '/c');
  await press('j');
  // What comes meanwhile does not take the focus away.
  await sandbox.call('GET', '/reportei/d', undefined, REPORTEI);
  await browser.says('/d', '#list');
  assert.equal(await focused(), '/b');
  await press('k');
  await press('k');
  assert.equal(await focused(), '/d');
  await press('j');
  await press(Key.ENTER);
  await browser.says('/c', 'h1');
  await browser.says('What was probably meant');

  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  await browser.press('Pause');
  await sandbox.call('GET', '/reportei/e', undefined, REPORTEI);
  await browser.press('Go on: there is more');
  await browser.says('/e', '#list');
  await browser.until('/e first', async () => (await rows())[0] === '/e');
  await browser.says('Pause', '#pause');
});

test('one entry is told with everything that is known of it', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  const { uuid } = await customer(sandbox);
  await sandbox.api('PUT', `/reportei/customers/${uuid}`, { name: 'Berta' }, REPORTEI);
  await sandbox.call('POST', '/reportei/customers', { nmae: 'Anna' }, REPORTEI);
  await sandbox.call('GET', '/reportei/costumers', undefined, REPORTEI);
  await sandbox.control('PATCH', `/state/reportei/customer/${uuid}`, { name: 'Clara' });

  await browser.go(`${sandbox.ui}/journal`);
  await browser.click('#row-2');
  await browser.says(`/customers/${uuid}`, 'h1');
  await browser.at(/\/journal\/2$/);
  const changes = await browser.text('[aria-labelledby=changes-title]');
  assert.match(changes, /update customer/);
  assert.match(changes, /name\s+"Anna"\s+"Berta"/);
  assert.ok(!changes.includes('trial_ends_at'), changes);
  const record = await browser.find(`a[href$="/records/reportei/customer/${uuid}"]`);
  assert.equal(await record.getText(), 'The record as it is now');
  await browser.find('a[href$="/reference/reportei/customers/update"]');
  await browser.says(/authenticate\s+passed\s+merchant\s+fixtures\/reportei\/pack.yaml:\d+/, '.trace');
  // Pretty and raw, without a script.
  await browser.says('"name": "Berta"', '.pretty[aria-label="Body of the request"]');
  await browser.click('label[for=raw-request]');
  await browser.says('{"name":"Berta"}', '.raw[aria-label="Body of the request, raw"]');
  await browser.accessible();

  await browser.press('Older');
  await browser.says('create', '[aria-labelledby=changes-title]');
  await browser.press('Newer');
  await browser.press('Newer');
  await browser.says('422', '.facts-row');
  await browser.says(/move\s+\/name\s+from \/nmae/, '[aria-labelledby=repair-title]');
  await browser.press('Newer');
  await browser.says(/GET \/customers List all customers reportei\nthe path has `customers` where `costumers` stands/, '[aria-labelledby=misses-title]');
  await browser.count('[rel=prev]', 0);
  await browser.accessible();

  // Edits of records are entries, too.
  await browser.go(`${sandbox.ui}/journal/5`);
  await browser.says(/name\s+"Berta"\s+"Clara"/, '.difference');
  await browser.accessible();
  await browser.go(`${sandbox.ui}/journal/77`);
  await browser.says('There is no entry 77');
  await browser.go(`${sandbox.ui}/journal/first`);
  await browser.says('`first` is not the number of an entry');
});

test('the curl command does the same again', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  const run = (command) => execFileSync('bash', ['-c', command.replace(/^(printf [^|]*\| base64 -d \| )?curl /, '$1curl -s -o /dev/null ')]);
  const headers = { ...REPORTEI, 'content-type': 'application/json', 'x-odd': `it's "$HOME" \`x\` \\ !! {a,b}` };
  const bodies = [
    { text: '{"name": "it\'s \\"quoted\\" $(date) `date` \\\\"}' },
    { text: '@/etc/hostname' },
    { text: 'two\nlines\n\n"and\' more\t' },
    { text: 'é 漢字 🎉' },
    { text: 'keys \u001b[201~\r and \u0000' },
    { base64: Buffer.from([0, 255, 10, 39, 92, 128]).toString('base64') },
  ];
  let entry = 0;
  for (const body of bodies) {
    const bytes = body.text === undefined ? Buffer.from(body.base64, 'base64') : Buffer.from(body.text);
    await fetch(`${sandbox.base}/reportei/customers?a=[1-3]&b={x}&c=%27`, { method: 'POST', headers, body: bytes });
    entry += 1;
    await browser.go(`${sandbox.ui}/journal/${entry}`);
    const masked = await browser.attribute('#curl', 'textContent');
    assert.ok(masked.includes("'authorization: Bearer <secret>'"), masked);
    await browser.press('Show secrets');
    const command = await browser.attribute('#curl', 'textContent');
    assert.ok(command.includes("'authorization: Bearer reportei-test-token'"), command);
    run(command);
    entry += 1;
    const [first, again] = await Promise.all([entry - 1, entry].map((one) => sandbox.control('GET', `/journal/${one}?secrets=show`)));
    for (const part of ['method', 'path', 'query', 'body']) {
      assert.deepEqual(again.exchange.request[part], first.exchange.request[part], command);
    }
    for (const name of ['authorization', 'content-type', 'x-odd']) {
      assert.equal(again.exchange.request.headers[name], first.exchange.request.headers[name], command);
    }
    assert.equal(again.exchange.response.status, first.exchange.response.status);
  }
  for (const method of ['GET', 'DELETE', 'HEAD', 'OPTIONS']) {
    await fetch(`${sandbox.base}/reportei/../reportei/customers`, { method, headers: REPORTEI });
    entry += 1;
    await browser.go(`${sandbox.ui}/journal/${entry}?secrets=show`);
    run(await browser.attribute('#curl', 'textContent'));
    entry += 1;
    const again = await sandbox.control('GET', `/journal/${entry}`);
    assert.equal(again.exchange.request.method, method);
    assert.equal(again.exchange.request.body, null);
  }
  await browser.press('Copy as curl');
  await browser.says('Copied', '.actions');
});

test('a sandbox is rewound from an entry, and an entry that is gone says so', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  await customer(sandbox, 'First');
  await customer(sandbox, 'Second');
  await browser.go(`${sandbox.ui}/journal/2`);
  await browser.press('Rewind to before this');
  await browser.driver.switchTo().alert().dismiss();
  assert.equal((await sandbox.control('GET', '/journal')).total, 2);

  // Another one was faster.
  await sandbox.control('POST', '/rewind', { to: 2 });
  await browser.press('Rewind to before this');
  await accept();
  await browser.says('entry-evicted', '#problem');
  await browser.complaints();

  await browser.go(`${sandbox.ui}/journal/1`);
  await browser.press('Rewind to before this');
  await accept();
  await browser.says('The sandbox is as it was');
  await browser.says('Nothing was asked yet', '#list');
  assert.equal((await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI)).data.some(({ name }) => name === 'First'), false);
  await browser.says('/customers', '#list');

  await browser.press('Empty the journal');
  await accept();
  await browser.says('The journal begins anew');
  assert.equal((await sandbox.control('GET', '/journal')).total, 0);
  assert.notEqual((await sandbox.control('GET', '/log')).total, 0);
  assert.deepEqual(await browser.complaints(), []);
});

test('what is chosen is downloaded, and the sandbox is told as a scenario', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  await customer(sandbox);
  await sandbox.call('GET', '/reportei/costumers', undefined, REPORTEI);
  await browser.go(`${sandbox.ui}/journal?status=2xx`);
  const har = await call(await browser.attribute('.list-head [download]', 'href'), 'GET', '');
  assert.deepEqual(har.body.log.entries.map((entry) => entry._entry), [1]);
  await browser.press('Save as scenario');
  await browser.says('Everything that happened in the sandbox');
  await browser.type('[name=name]', 'Anna comes');
  await browser.press('Name it so');
  await browser.says('Anna comes', '#scenario');
  const text = await browser.attribute('#scenario', 'textContent');
  const file = await call(await browser.attribute('a.primary', 'href'), 'GET', '');
  assert.match(file.headers.get('content-disposition'), /attachment/);
  assert.equal(file.body.trim(), text.trim());
  await browser.accessible();
  await browser.press('Copy');
  await browser.says('Copied', '.copyable');
});

test('a long journal is shown in pages', async () => {
  const sandbox = await server.sandbox();
  for (let number = 1; number <= 130; number += 1) await sandbox.call('GET', `/reportei/n${number}`, undefined, REPORTEI);
  await browser.go(`${sandbox.ui}/journal`);
  await browser.count('[data-row]', 100);
  await browser.press('Older');
  await browser.says('30 exchanges before entry 31', '#list');
  await browser.until('/n30 first', async () => (await rows())[0] === '/n30');
  // What happens meanwhile does not disturb whoever reads what is old.
  await sandbox.call('GET', '/reportei/new', undefined, REPORTEI);
  await browser.says('live', '#live');
  await browser.until('/n30 first', async () => (await rows())[0] === '/n30');
  await browser.click('#row-30');
  await browser.says('/n30', 'h1');
  await browser.has('#row-30', 'aria-current', 'true');
  // A link from elsewhere to an old entry has it in the list as well.
  await browser.go(`${sandbox.ui}/journal/5`);
  await browser.has('#row-5', 'aria-current', 'true');
});
