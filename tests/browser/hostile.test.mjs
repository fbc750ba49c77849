// Captured traffic that wants to be more than text.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

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

const MARKUP = `"'><script>window.pwned = 1; alert(1)</script><img src=x onerror="window.pwned=2"></textarea></pre></code></title><!-- <svg onload=alert(3)> {{ 7 * 7 }}{% include "login.html" %}\${7*7}`;

// Sends exactly these bytes, with headers and a path that `fetch` would mend.
const send = (sandbox, { method = 'POST', path = '/reportei/customers', headers = {}, body = '' }) =>
  new Promise((resolve, reject) => {
    const url = new URL(sandbox.base);
    const options = { host: url.hostname, port: url.port, method, path: url.pathname + path, headers: { ...REPORTEI, ...headers } };
    const request = http.request(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer));
    });
    request.on('error', reject);
    request.end(body);
  });

// The page is what it is without it: scripts of ours, no picture, nothing done.
async function harmless(where) {
  await assert.rejects(browser.driver.switchTo().alert(), where);
  const seen = await browser.driver.executeScript(`return {
    pwned: window.pwned ?? null,
    polluted: ({}).polluted ?? null,
    scripts: [...document.scripts].map((one) => new URL(one.src).pathname),
    strange: [...document.querySelectorAll('img, svg, iframe, object, embed, textarea, [onerror], [onload], [onclick], base, style')].map((one) => one.outerHTML),
  };`);
  assert.deepEqual([seen.pwned, seen.polluted, seen.strange], [null, null, []], where);
  assert.ok(seen.scripts.every((path) => path.startsWith('/_standin/ui/assets/')), where);
  assert.deepEqual(await browser.complaints(), [], where);
}

const JSON_TYPE = { 'content-type': 'application/json' };

test('whatever was sent is text', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  await sandbox.control('POST', '/stubs', {
    request: { urlPath: '/reportei/evil' },
    response: { status: 200, headers: { 'Content-Type': 'text/html', 'X-Evil': MARKUP.replace('\n', '') }, body: `<html>${MARKUP}` },
  });
  const sent = [
    { what: 'JSON with markup', headers: JSON_TYPE, body: JSON.stringify({ name: MARKUP, [MARKUP]: [MARKUP] }), shows: 'window.pwned = 1' },
    { what: 'markup as a body', headers: { 'content-type': 'text/html' }, body: MARKUP, shows: MARKUP },
    { what: 'a form', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `name=${encodeURIComponent(MARKUP)}`, shows: MARKUP },
    { what: 'names of prototypes', headers: JSON_TYPE, body: '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}', shows: '"__proto__": {' },
    { what: 'headers', headers: { 'x-evil': MARKUP, 'content-type': `text/html;${MARKUP}` }, body: 'x', shows: MARKUP },
    { what: 'a path', method: 'GET', path: '/reportei/%3Cscript%3Ealert(1)%3C/script%3E/{{7*7}}\'"?q=%3Cscript%3E{{7*7}}\'', shows: '/{{7*7}}' },
    { what: 'a stub', method: 'GET', path: '/reportei/evil', shows: `<html>${MARKUP}` },
    { what: 'bytes', headers: { 'content-type': 'image/svg+xml' }, body: Buffer.from([0, 1, 60, 115, 99, 255, 254]), shows: '00 01 3c 73 63 ff fe' },
    { what: 'no UTF-8', headers: JSON_TYPE, body: Buffer.concat([Buffer.from('{"name": "'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]), shows: '7b 22 6e 61' },
  ];
  for (const { what, shows, ...request } of sent) {
    const answer = await send(sandbox, request);
    const entry = answer.headers['standin-entry'];
    assert.ok(entry, `${what}: ${answer.statusCode}`);
    await browser.go(`${sandbox.ui}/journal/${entry}`);
    const all = await browser.attribute('main', 'textContent');
    assert.ok(all.includes(shows), `${what}: ${all}`);
    await harmless(what);
    assert.equal(await browser.driver.getTitle().then((title) => title.endsWith('· standin')), true, what);
  }
  // The list, with the path and a search for markup, arrives as a part, too.
  await browser.go(`${sandbox.ui}/journal`);
  await browser.says('live', '#live');
  await browser.type('[name=text]', '<script>window');
  await browser.until('chosen', async () => /text=/.test(await browser.driver.getCurrentUrl()) && (await browser.all('[data-row]')).length > 0);
  await harmless('the list');
  await browser.go(`${sandbox.ui}/journal?text=${encodeURIComponent(MARKUP.slice(0, 200))}&stub=${encodeURIComponent(MARKUP)}`);
  await browser.says('is not the id of a stub');
  await browser.complaints();
  await browser.go(`${sandbox.ui}/journal?path=/${encodeURIComponent('"><img/src=x/onerror=alert(1)>')}`);
  await browser.says('path /"><img', '#filter');
  await harmless('a condition of a link');
  await browser.go(`${sandbox.ui}/journal/scenario?name=${encodeURIComponent(MARKUP.slice(0, 150))}`);
  await harmless('a scenario');
});

test('a huge body is shown in part, and downloaded as no page', async () => {
  const sandbox = await server.sandbox({ mode: 'frozen' });
  const name = '</pre><script>alert(1)</script>'.repeat(30000);
  const bodies = [JSON.stringify({ name }), JSON.stringify(Array.from({ length: 150000 }, (_, at) => at)), '['.repeat(900000)];
  for (const body of bodies) {
    const answer = await send(sandbox, { headers: JSON_TYPE, body });
    const entry = answer.headers['standin-entry'];
    await browser.go(`${sandbox.ui}/journal/${entry}`);
    await browser.says('the beginning of it', '[aria-labelledby=request-title]');
    await browser.says('The body is too long for a command', '[aria-labelledby=curl-title]');
    await harmless('a huge body');
    const size = await browser.driver.executeScript('return document.documentElement.outerHTML.length');
    assert.ok(size < 1_500_000, `${size}`);
    const href = await browser.attribute('[aria-labelledby=request-title] .views a', 'href');
    const file = await fetch(href);
    assert.equal(file.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(file.headers.get('x-content-type-options'), 'nosniff');
    assert.match(file.headers.get('content-disposition'), /^attachment; filename="standin-\d+-request.txt"$/);
    assert.equal(await file.text(), body);
  }
});
