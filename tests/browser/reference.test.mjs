// The index, the reference, and the form that tries an operation.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { open } from './lib/browser.mjs';
import { serve } from './lib/server.mjs';

const run = promisify(execFile);

let server;
let browser;
before(async () => {
  server = await serve('--freeze');
  browser = await open();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// What is shown of the last answer, once it is there.
const sent = async () => {
  await browser.click('#try-form button.primary');
  await browser.until('an answer', async () => /^\d{3}/.test(await browser.text('#try-status')));
};
const reference = (where, id) => browser.go(`${where.ui}/reference/${id}`);
const status = async () => Number((await browser.text('#try-status')).slice(0, 3));

test('the index has a command of each API that works when it is pasted', async () => {
  await browser.go(`${server.url}/`);
  await browser.says('4 APIs, on this machine', 'h1');
  const commands = await browser.all('.api .copyable pre');
  assert.equal(commands.length, 4);
  for (const command of commands) {
    const line = await command.getText();
    const { stdout } = await run('sh', ['-c', `${line} -o /dev/null -w '%{http_code}'`]);
    assert.match(stdout, /^2\d\d$/, line);
  }
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('credentials and base URLs are copied as they are sent', async () => {
  await browser.go(`${server.url}/`);
  await browser.driver.sendDevToolsCommand('Browser.grantPermissions', {
    origin: server.url, permissions: ['clipboardReadWrite', 'clipboardSanitizedWrite'],
  });
  const copied = async (name) => {
    await browser.press(name);
    return browser.driver.executeAsyncScript('navigator.clipboard.readText().then(arguments[0], (e) => arguments[0](String(e)))');
  };
  assert.equal(await copied('Copy the credential acme of Reportei Connect'), 'authorization: Bearer acme-test-token');
  assert.equal(await copied('Copy the credential customer-1 of Reportei Connect'),
    'x-customer-token: token-caedbbbe-7d93-476f-b965-bf97cd7ce874');
  assert.equal(await copied('Copy the base URL of Reportei Connect'), `${server.url}/reportei`);
});

test('the index leads to the dashboard and to each reference', async () => {
  await browser.go(`${server.url}/`);
  await browser.click('.api a[href$="/reference/hubster"]');
  await browser.says('Hubster portal', 'h1');
  await browser.go(`${server.url}/`);
  await browser.press('Open the dashboard');
  await browser.says('Journal', 'h1');
});

test('operations are found by words', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/reference/reportei`);
  await browser.type('[data-search]', 'payment status');
  await browser.click('#operations form button');
  await browser.says('1 of 20 operations', '#operations');
  await browser.press('Update a customer payment status');
  await browser.says('/customers/{uuid}/update-payment-status', '.endpoint');
  await browser.go(`${sandbox.ui}/reference?q=nothing-is-called-so`);
  await browser.says('0 operations');
});

test('a pack has its credentials, options, errors, events and defects on one page', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/reference/hubster`);
  for (const [section, words] of [
    ['#authentication', 'Bearer hubster-portal-token'], ['#options', 'get-enums'], ['#errors', 'integration-not-found'],
    ['#events', 'send-activity'], ['#webhooks', 'hmac'], ['#defects', 'H14'],
  ]) await browser.says(words, section);
  await browser.accessible();
  assert.deepEqual(await browser.complaints(), []);
});

test('an operation tells its parameters, members, conditions and answers', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/list');
  await browser.says(/per_page[\s\S]*integer[\s\S]*≥ 1[\s\S]*≤ 100[\s\S]*default 15/, '.schema');
  await browser.says('page by query.page');
  await reference(sandbox, 'hubster/integrations/create');
  await browser.says(/channelId\s+required[\s\S]*one of "Direct"/, '.told');
  await browser.says('When channelId is "TwilioSMS"', '.told');
  await reference(sandbox, 'reportei/customers/create');
  await browser.says(/201[\s\S]*documented[\s\S]*422[\s\S]*assumed/, '.told');
  for (const id of ['reportei/customers/create', 'hubster/hubs/create', 'optimizeplayer/integrations/show']) {
    await reference(sandbox, id);
    await browser.accessible();
  }
  assert.deepEqual(await browser.complaints(), []);
});

test('a try makes a record in the chosen sandbox only, and leads to its entry', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/create');
  const field = await browser.find('#try-body');
  await field.clear();
  await field.sendKeys('{"name": "Tried <b>here</b>"}');
  await sent();
  assert.equal(await status(), 201);
  await browser.says('Tried <b>here</b>', '#try-text');
  await browser.says('documented', '#try-contract');
  const of = async (base) => {
    const list = await server.call('GET', `${base}/_standin/state/reportei/customer`);
    return list.body.records.map((record) => record.name).filter((name) => name.startsWith('Tried'));
  };
  assert.deepEqual(await of(`/~${sandbox.id}`), ['Tried <b>here</b>']);
  assert.deepEqual(await of(''), []);
  const { records } = await sandbox.control('GET', '/journal');
  await browser.has('#try-entry', 'href', `${sandbox.ui}/journal/${records.at(-1).entry}`);
});

test('a try is refused as the API refuses', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/create');
  const field = await browser.find('#try-body');
  await field.clear();
  await field.sendKeys('{"name": ""}');
  await sent();
  assert.equal(await status(), 422);
  await browser.says('errors', '#try-text');
  await browser.type('[name="authorization"]', 'Bearer nobody');
  await sent();
  await browser.until('401', async () => (await status()) === 401);
  await browser.says('Unauthenticated.', '#try-text');
});

test('another credential of the list is sent', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/list');
  await browser.driver.executeScript(`
    const select = document.querySelector('[data-fills]');
    select.value = 'Bearer acme-test-token';
    select.dispatchEvent(new Event('input', { bubbles: true }));`);
  await browser.says('Bearer acme-test-token', '#try-curl');
  await sent();
  assert.equal(await status(), 200);
  await browser.says('Acme Customer 1', '#try-text');
});

test('the command follows what is typed, and does the same', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/create');
  const written = await (await server.call('GET', `/~${sandbox.id}/_standin/ui/reference/reportei/customers/create`)).body;
  const own = /id="try-curl"[^>]*><code>([\s\S]*?)<\/code>/.exec(written)[1];
  const plain = await browser.driver.executeScript(
    'const area = document.createElement("textarea"); area.innerHTML = arguments[0]; return area.value;', own);
  assert.equal(await browser.driver.executeScript('return document.getElementById("try-curl").textContent'), plain);
  const field = await browser.find('#try-body');
  await field.clear();
  await field.sendKeys(`{"name": "It's $HOME"}`);
  const command = await browser.driver.executeScript('return document.getElementById("try-curl").textContent');
  const { stdout } = await run('sh', ['-c', command]);
  assert.equal(JSON.parse(stdout).customer.name, `It's $HOME`);
});

test('any declared answer can be asked for', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'reportei/customers/create');
  await browser.driver.executeScript(`
    const select = document.getElementById('try-prefer');
    select.value = 'example=create.422.no-name.json';
    select.dispatchEvent(new Event('input', { bubbles: true }));`);
  await sent();
  assert.equal(await status(), 422);
  await browser.click('#try-answer summary');
  await browser.says('preference-applied: example=create.422.no-name.json', '#try-headers');
});

test('what an answer has is text, whatever it is', async () => {
  const sandbox = await server.sandbox();
  await sandbox.control('POST', '/stubs', {
    request: { method: 'GET', urlPath: '/reportei/merchants/settings' },
    response: {
      status: 200, headers: { 'content-type': 'text/html' },
      body: '<script>window.harmed = true</script><img src=x onerror="window.harmed = true"><h1>Hostile</h1>',
    },
  });
  await reference(sandbox, 'reportei/merchants/settings');
  // Browsers complain of every refusal that a test before this one has provoked.
  await browser.complaints();
  await sent();
  await browser.says('<script>window.harmed = true</script>', '#try-text');
  assert.equal(await browser.driver.executeScript('return window.harmed === undefined && document.querySelectorAll("#try-text *").length === 0'), true);
  assert.deepEqual(await browser.complaints(), []);
});

test('a form body is sent as a form', async () => {
  const sandbox = await server.sandbox();
  await reference(sandbox, 'hubster/identity/token');
  await browser.has('#try-media', 'value', 'application/x-www-form-urlencoded');
  await sent();
  assert.equal(await status(), 200);
  await browser.says('access_token', '#try-text');
});

test('without a script there is the command', async () => {
  const still = await open({ javascript: false });
  try {
    await still.go(`${server.url}/_standin/ui/reference/reportei/customers/list`);
    await still.says('needs JavaScript', '#try');
    const { stdout } = await run('sh', ['-c', `${await still.text('#try-curl')} -o /dev/null -w '%{http_code}'`]);
    assert.equal(stdout, '200');
  } finally {
    await still.close();
  }
});
