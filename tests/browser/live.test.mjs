// Pages that stay open while something else happens: other tabs, a sandbox that is deleted, a server that is started again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { call, REPORTEI, serve } from './lib/server.mjs';

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

test('two tabs see the same', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  const { driver } = browser;
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  const first = await driver.getWindowHandle();
  await driver.switchTo().newWindow('tab');
  const second = await driver.getWindowHandle();
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.says('/customers', '#list');
  await driver.switchTo().window(first);
  await browser.says('/customers', '#list');

  // One tab rewinds, the other one shows it; the clock is the same in both.
  await browser.go(`${sandbox.ui}/journal/1`);
  await browser.press('Rewind to before this');
  await driver.switchTo().alert().accept();
  await browser.says('The sandbox is as it was');
  await sandbox.control('PUT', '/clock', { now: '2030-01-01T00:00:00Z' });
  await browser.says('2030-01-01 00:00:00', '.clock-now');
  await driver.switchTo().window(second);
  await browser.says('Nothing was asked yet', '#list');
  await browser.says('2030-01-01 00:00:00', '.clock-now');
  assert.deepEqual(await browser.complaints(), []);
  await driver.close();
  await driver.switchTo().window(first);
});

test('what happens before a page hears of anything is shown all the same', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  const blocked = (urls) => browser.driver.sendDevToolsCommand('Network.setBlockedURLs', { urls });
  await browser.driver.sendDevToolsCommand('Network.enable', {});
  try {
    await blocked(['*/journal/stream*']);
    await browser.go(`${sandbox.ui}/journal`);
    await browser.says('not live', '#live');
    await sandbox.control('PUT', '/clock', { now: '2031-01-01T00:00:00Z' });
    await blocked([]);
    await browser.says('live', '#live');
    await browser.says('2031-01-01 00:00:00', '.clock-now');
  } finally {
    await blocked([]);
    await browser.complaints();
  }
});

test('a sandbox that is deleted under an open page says so, with a way on', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  await server.call('DELETE', `/_standin/sandboxes/${sandbox.id}`);
  await browser.says(`The sandbox ${sandbox.id} is closed`, '#connection');
  await browser.says('sandbox closed', '#live');
  const way = await browser.find('#connection a');
  assert.equal(await way.getAttribute('href'), `${server.url}/_standin/ui/sandboxes`);
  await browser.accessible();

  // What is asked of it from then on is refused in place, and a page of it is one that says so.
  await browser.complaints();
  await browser.type('[name=text]', 'x');
  await browser.says('sandbox-closed', '#problem');
  await browser.driver.navigate().refresh();
  await browser.says(sandbox.id, '.problem');
  await browser.find('.problem a[href$="/_standin/ui/sandboxes"]');
});

test('a server that stops and is started again under an open page is noticed', async () => {
  let other = await serve();
  const { port, url } = other;
  try {
    await call(url, 'GET', '/reportei/customers', undefined, REPORTEI);
    await browser.go(`${url}/_standin/ui/journal/1`);
    await browser.says('live', '#live');
    await other.stop();
    await browser.says('The server does not answer', '#connection');
    await browser.says('connection lost', '#live');
    // What is sent meanwhile is not lost without a word.
    await browser.press('Rewind to before this');
    await browser.driver.switchTo().alert().accept();
    await browser.says('nothing was changed', '#problem');

    other = await serve('--port', port);
    await browser.says('The server was started again', '#connection');
    await browser.accessible();
    await browser.press('Load it again');
    await browser.says('There is no entry 1');
  } finally {
    await other.stop();
  }
});
