// A server of its own for a file of tests, and sandboxes of their own for the tests.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const binary = process.env.STANDIN_BINARY ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, 'target'), 'debug/standin');

// Starts `standin serve` on a free port, unless the arguments choose one. `stop` ends it.
export async function serve(...more) {
  const chosen = more.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(binary, ['serve', '--log', 'off', ...chosen, ...more], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: Object.fromEntries(Object.entries({ ...process.env, NO_COLOR: '1' }).filter(([name]) => name !== 'STANDIN_TOKEN')),
  });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
    child.stdout.on('data', (piece) => {
      text += piece;
      const first = /listening on (\S+)\n/.exec(text);
      if (first) resolve(first[1]);
    });
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    url,
    port: new URL(url).port,
    // Everything on it, as a program calls it. A path begins with `/`.
    call: (method, where, body, headers = {}) => call(url, method, where, body, headers),
    sandbox: (options = {}) => sandbox(url, options),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

// Calls with JSON, and gives `{status, headers, body}`; a body that is no JSON is text.
export async function call(base, method, where, body, headers = {}) {
  const answer = await fetch(`${base}${where}`, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
    redirect: 'manual',
  });
  const text = await answer.text();
  let read = text;
  try {
    read = text === '' ? null : JSON.parse(text);
  } catch {
    // It is text, then.
  }
  return { status: answer.status, headers: answer.headers, body: read };
}

let count = 0;

// A sandbox for one test. `control` calls `/_standin` of it, `api` a pack, both must succeed unless `status` is given.
export async function sandbox(url, options = {}) {
  count += 1;
  const id = options.id ?? `t${process.pid}-${count}`;
  const made = await call(url, 'POST', '/_standin/sandboxes', { id, ...options });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const base = `${url}/~${id}`;
  const good = async (method, where, body, headers) => {
    const answer = await call(base, method, where, body, headers);
    assert.ok(answer.status < 400, `${method} ${where}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    id,
    base,
    ui: `${base}/_standin/ui`,
    call: (method, where, body, headers) => call(base, method, where, body, headers),
    control: (method, where, body) => good(method, `/_standin${where}`, body),
    api: good,
  };
}

export const REPORTEI = { authorization: 'Bearer reportei-test-token' };
