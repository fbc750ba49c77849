// Coverage as a map.
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

const LIST = '[id="reportei/customers/list"]';
const row = (kind) => browser.driver.executeScript(
  `return [...document.querySelectorAll('${LIST} .cell.${kind}')].map((cell) => cell.textContent.trim())`);

test('coverage grows while one watches, and begins anew after a question', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/coverage?pack=reportei`);
  await browser.says('live', '#live');
  await browser.says('0.0%', '#in-all');
  assert.deepEqual(await row('covered'), []);
  await browser.accessible();
  await sandbox.api('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.until('a status is covered', async () => (await row('covered')).some((text) => text.includes('200')));
  const report = await sandbox.control('GET', '/coverage');
  const reportei = report.packs.find(({ pack }) => pack === 'reportei').summary;
  await browser.says(`${reportei.items.exercised}/${reportei.items.total}`, '.totals tbody');
  await browser.says(`${report.summary.items.exercised}/${report.summary.items.total}`, '#in-all');
  assert.ok((await row('missing')).some((text) => text.includes('unauthenticated')));
  await sandbox.call('GET', '/reportei/customers');
  await browser.until('an error is covered', async () => (await row('covered')).some((text) => text.includes('unauthenticated')));
  const links = await browser.driver.executeScript(
    `return [...document.querySelectorAll('${LIST} .cell.covered')].map((cell) => cell.getAttribute('href'))`);
  const prefix = `/~${sandbox.id}/_standin/ui`;
  assert.ok(links.includes(`${prefix}/journal?operation=reportei%2Fcustomers%2Flist&status=401`), links.join(' '));
  const journal = await sandbox.control('GET', '/journal?operation=reportei%2Fcustomers%2Flist&status=401');
  assert.equal(journal.total, 1);
  await browser.accessible();
  await browser.press('Count from nothing again');
  await browser.driver.switchTo().alert().accept();
  await browser.says('Coverage is counted from nothing again');
  await browser.says('0.0%', '#in-all');
  assert.equal((await sandbox.control('GET', '/coverage')).summary.items.exercised, 0);
  assert.deepEqual(await browser.complaints(), []);
});

test('what is missing is listed alone, of one sandbox or of all', async () => {
  const [mine, other] = [await server.sandbox(), await server.sandbox()];
  await other.api('GET', '/reportei/customers', undefined, REPORTEI);
  await browser.go(`${mine.ui}/coverage?pack=reportei&show=missing`);
  assert.deepEqual(await row('covered'), []);
  assert.deepEqual(await row('assumed'), []);
  assert.ok((await row('missing')).some((text) => text.includes('200')));
  await browser.press('The whole server');
  await browser.until('what others have covered is not missing', async () =>
    !(await row('missing')).some((text) => /○\s*200,/.test(text)));
  await browser.at(/of=server&pack=reportei&show=missing/);
  // One that calls while others are looked at is seen as well.
  await mine.call('GET', '/reportei/customers');
  await browser.until('the error is not missing', async () => !(await row('missing')).some((text) => text.includes('unauthenticated')));
});

test('what came besides is listed, and hostile paths are text', async () => {
  const sandbox = await server.sandbox();
  await sandbox.call('GET', '/reportei/%3Cscript%3Ealert(1)%3C/script%3E', undefined, REPORTEI);
  await sandbox.call('POST', '/reportei/customers', { name: 7 }, REPORTEI);
  await browser.go(`${sandbox.ui}/coverage`);
  await browser.says('Requests that no operation answers', '#map');
  await browser.says('Requests that do not fit the contract', '#map');
  await browser.says('script', '#map');
  await browser.count('#map script', 0);
  const file = await sandbox.call('GET', '/_standin/ui/coverage/report.json');
  assert.match(file.headers.get('content-disposition'), /coverage\.json/);
  assert.equal(file.body.coverage, 1);
});
