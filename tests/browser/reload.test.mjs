// Packs on disk: broken and mended under an open page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { REPORTEI, root, serve } from './lib/server.mjs';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'standin-packs-'));
const file = path.join(folder, 'fixtures/reportei/customers/list.yaml');
let good;
let server;
let browser;
before(async () => {
  for (const part of ['fixtures/reportei', 'schemas']) {
    fs.cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  good = fs.readFileSync(file, 'utf8');
  server = await serve('reportei', '--fixtures', path.join(folder, 'fixtures'), '--schemas', path.join(folder, 'schemas'));
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

const mended = () => browser.until('the banner is gone', async () => (await browser.all('#broken .warning')).length === 0);

test('a bad edit is told on every open page, with its place and remedy, until it is mended', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/faults`);
  await browser.says('live', '#live');
  await browser.count('#broken .warning', 0);
  fs.writeFileSync(file, good.replace('respond:', 'repond:'));
  await browser.says('1 pack on disk cannot be used', '#broken');
  await browser.says('1', '#broken-count');
  await browser.press('What is wrong');
  await browser.says('failed', '#state');
  await browser.says('an operation has no key', '#state');
  await browser.says('did you mean `respond`?', '#state');
  const [told] = (await sandbox.control('GET', '/reload')).packs.find(({ pack }) => pack === 'reportei').diagnostics;
  await browser.says(`${told.at.file}:${told.at.line}:${told.at.column}`, '#state');
  assert.equal(await browser.text('.excerpt mark'), 'repond');
  await browser.accessible();
  // The last good one is served.
  const [line] = fs.readFileSync(file, 'utf8').split('\n').slice(told.at.line - 1);
  assert.equal(told.at.text, line);
  assert.equal((await sandbox.call('GET', '/reportei/customers', undefined, REPORTEI)).status, 200);
  await browser.says('live', '#live');
  fs.writeFileSync(file, good);
  await mended();
  await browser.until('it is live', async () => !(await browser.text('#state')).includes('failed'));
  assert.deepEqual(await browser.complaints(), []);
});

test('a code is explained', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/reload`);
  await browser.says('live', '#live');
  fs.writeFileSync(file, good.replace('respond:', 'repond:'));
  await browser.press('key-unknown');
  await browser.says('The format has no such key here', 'main');
  await browser.accessible();
  fs.writeFileSync(file, good);
  await mended();
  await browser.go(`${sandbox.ui}/diagnostics/key-unnown`);
  await browser.says('did you mean `key-unknown`');
});

test('a good edit is live, and says which file it was; looking when nothing changed says so', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/reload`);
  await browser.says('live', '#live');
  await browser.press('Look now');
  await browser.says('stand as they stood');
  await browser.says('live', '#live');
  fs.writeFileSync(file, `${good}# Nothing else.\n`);
  await browser.says('customers/list.yaml', '#state');
  await browser.accessible();
  fs.writeFileSync(file, good);
});
