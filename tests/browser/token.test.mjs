// A server that asks for a token, in a browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const TOKEN = '0123456789-the-token';
const BEARER = { authorization: `Bearer ${TOKEN}` };

let server;
let browser;
before(async () => {
  server = await serve('--token', TOKEN);
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a page asks for the token, keeps a cookie that no script can read, and goes on where one wanted to be', async () => {
  await browser.go(`${server.url}/_standin/ui/journal?status=2xx`);
  await browser.says('asks for a token');
  await browser.accessible();

  await browser.type('[name=token]', 'another-token-entirely');
  await browser.press('Open');
  await browser.says('That is not the token');
  await browser.accessible();

  await browser.type('[name=token]', TOKEN);
  await browser.press('Open');
  await browser.says('Journal', 'h1');
  await browser.at(/\/_standin\/ui\/journal\?status=2xx$/);
  const [cookie] = await browser.driver.manage().getCookies();
  assert.equal(cookie.name, `standin-session-${server.port}`);
  assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.path], [true, 'Strict', '/']);
  assert.ok(!cookie.value.includes(TOKEN));
  assert.equal(await browser.driver.executeScript('return document.cookie'), '');

  // The stream and everything else that the page asks of the control plane have it, too.
  await browser.says('live', '#live');
  await server.call('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.says('/customers', '#list');

  // An API that the browser calls learns nothing of it, and neither does the journal.
  await browser.driver.executeAsyncScript('fetch("/reportei/nowhere").then(arguments[0], arguments[0])');
  const journal = await server.call('GET', '/_standin/journal?secrets=show', undefined, BEARER);
  const last = journal.body.records.at(-1);
  const entry = await server.call('GET', `/_standin/journal/${last.entry}?secrets=show`, undefined, BEARER);
  assert.equal(last.status, 404);
  assert.ok(!JSON.stringify(entry.body).includes('standin-session'), JSON.stringify(entry.body.exchange.request));

  await browser.press('Log out');
  await browser.says('asks for a token');
  await browser.go(`${server.url}/_standin/ui/`);
  await browser.says('asks for a token');
});

test('the index asks, too, and programs get what they always got', async () => {
  await browser.go(`${server.url}/`);
  await browser.says('asks for a token');
  assert.equal((await server.call('GET', '/')).status, 401);
  assert.equal((await server.call('GET', '/_standin/clock')).status, 401);
  const foreign = await server.call('POST', '/_standin/ui/login', undefined, { origin: 'http://evil.example' });
  assert.equal(foreign.status, 403);
});

test('a server that listens on an address of IPv6 has pages that work', async () => {
  const other = await serve('--host', '::1');
  try {
    await browser.go(`${other.url}/_standin/ui/`);
    await browser.says('live', '#live');
    const complaints = (await browser.complaints()).filter((message) => message.startsWith(other.url));
    assert.deepEqual(complaints, []);
  } finally {
    await other.stop();
  }
});
