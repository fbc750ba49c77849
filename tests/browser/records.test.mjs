// Records of the dashboard: found, read, edited, made and deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { open } from './lib/browser.mjs';
import { serve } from './lib/server.mjs';

const MERCHANT = 'c1e6c85a-6441-4107-ab36-b8bf581b40e0';
const CUSTOMER = 'caedbbbe-7d93-476f-b965-bf97cd7ce874';
const INTEGRATION = '4addc0da-8583-4dbb-a0e9-c7e2e8470f50';
const SYSTEM = '00000000-0000-0000-0000-000000000003';

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

// A form's field by the name that it is sent under.
const field = (name) => `[name="f.${name}"]`;
const save = () => browser.press('Save');

async function confirm() {
  const { driver } = browser;
  await browser.until('a question', async () => (await driver.switchTo().alert(), true));
  await driver.switchTo().alert().accept();
}

test('every resource is counted, and a new record counts by itself', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records`);
  const row = () => browser.driver.executeScript(
    "return [...document.querySelectorAll('#list tr')].find((r) => r.querySelector('a')?.getAttribute('href').endsWith('/reportei/customer'))?.innerText");
  await browser.until('three customers', async () => /customer\s+merchant\s+3/.test(await row()));
  await browser.says('live', '#live');
  await sandbox.control('DELETE', `/state/reportei/customer/${CUSTOMER}`);
  await browser.until('two customers', async () => /customer\s+merchant\s+2/.test(await row()));
  await browser.accessible();
  await browser.press('merchant');
  await browser.says('Acme', '#list');
  assert.deepEqual(await browser.complaints(), []);
});

test('a list is searched as one types, and by an address', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer`);
  await browser.says('Acme Customer 1', '#list');
  await browser.type('#text', 'acme');
  await browser.until('only one', async () => (await browser.all('#list tbody tr')).length === 1);
  // What happens meanwhile does not bring the others back.
  await browser.says('live', '#live');
  await sandbox.control('PATCH', `/state/reportei/customer/${CUSTOMER}`, { name: 'Acme too' });
  await browser.until('two', async () => (await browser.all('#list tbody tr')).length === 2);
  await browser.press('Search');
  await browser.until('an address to share', async () => (await browser.driver.getCurrentUrl()).includes('text=acme'));
  await browser.count('#list tbody tr', 2);
  await browser.type('#text', 'nobody is called so');
  await browser.says('No record is like that', '#list');
  await browser.accessible();
});

test('a long list comes in pieces', async () => {
  const sandbox = await server.sandbox();
  for (let number = 0; number < 60; number += 1) {
    await sandbox.control('POST', '/state/capillary/org', { id: 2000 + number, name: `Org ${number}` });
  }
  await browser.go(`${sandbox.ui}/records/capillary/org`);
  await browser.says('1 to 50 of 62 records', '#list');
  await browser.press('Later ones');
  await browser.says('51 to 62 of 62 records', '#list');
  await browser.press('Earlier ones');
  await browser.says('1 to 50 of 62 records', '#list');
});

test('a record shows its fields, whom it names, who names it, and what became of it', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}`);
  const text = await browser.says('Records that name it');
  for (const part of ['trial_ends_at', '2024-10-08 17:15:12', 'timestamp', '•••', 'Reportei · ', '1 × integration', 'Nothing has changed it']) {
    assert.ok(text.includes(part), `${part} in ${text}`);
  }
  assert.ok(!text.includes(`token-${CUSTOMER}`), 'a secret');
  await browser.accessible();
  await browser.press(`Instagram Business · ${INTEGRATION}`);
  await browser.says('Fields');
  // Its owner is a link back; so it goes round.
  await browser.press(`Reportei Customer 1 · ${CUSTOMER}`);
  await browser.press('1 × integration');
  await browser.says(`Only those whose customer_uuid is ${CUSTOMER}`, '#list');
  await browser.until('one', async () => (await browser.all('#list tbody tr')).length === 1);
});

test('only what was changed in the form is sent, each field by its type', async () => {
  const sandbox = await server.sandbox();
  const at = `/state/reportei/customer/${CUSTOMER}`;
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}/edit`);
  await browser.type(field('name'), 'Padaria "Aurora" & <Filhos>');
  await browser.type(field('trial_ends_at'), '2024-11-01T00:00:00Z');
  await browser.click(`${field('is_paying')} option[value="true"], ${field('is_paying')} option:nth-child(1)`);
  // Somebody else changes another field meanwhile.
  await sandbox.control('PATCH', at, { merchant: 'Other' });
  await save();
  await browser.says('The record is changed');
  const record = await sandbox.control('GET', `${at}?secrets=show`);
  assert.equal(record.name, 'Padaria "Aurora" & <Filhos>');
  assert.equal(record.trial_ends_at, '2024-11-01 00:00:00');
  assert.deepEqual([record.is_paying, record.merchant, record.api_token], [true, 'Other', `token-${CUSTOMER}`]);
  const log = await sandbox.control('GET', '/log');
  const sent = log.records.at(-1);
  assert.deepEqual(Object.keys(sent.body).sort(), ['is_paying', 'name', 'trial_ends_at']);
  await browser.says('control plane: PATCH', '#facts');
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}/edit`);
  await save();
  await browser.says('Nothing was changed in the form');
  assert.equal((await sandbox.control('GET', '/log')).records.at(-1).entry, sent.entry);
});

test('the difference that an edit made is shown', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}/edit`);
  await browser.type(field('name'), 'Another name');
  await save();
  const said = await browser.says('Another name', '#history + ol .differences');
  assert.match(said, /name\s+Reportei Customer 1\s+Another name/);
});

test('JSON, secrets and absent fields are edited field by field', async () => {
  const sandbox = await server.sandbox();
  const at = `/state/hubster/integration/${SYSTEM}?secrets=show`;
  const before = await sandbox.control('GET', at);
  const edit = `${sandbox.ui}/records/hubster/integration/${SYSTEM}/edit`;
  await browser.go(edit);
  await browser.accessible();
  await browser.type(field('events'), '["message"');
  await save();
  await browser.says('`events` is not JSON', '#problem');
  await browser.type(field('events'), '["message"]');
  await browser.click('[name="none.webhookUrl"]');
  await browser.press('18 fields without a value');
  await browser.type(field('botName'), ' Robô\u00a0');
  await browser.click(`${field('echo')} option:nth-child(2)`);
  await save();
  await browser.says('The record is changed');
  const after = await sandbox.control('GET', at);
  const expected = { ...before, events: ['message'], botName: ' Robô\u00a0', echo: true };
  delete expected.webhookUrl;
  assert.deepEqual(after, expected);
  await browser.go(edit);
  await browser.type(field('privateSigningKey'), 'a new key');
  await save();
  await browser.says('The record is changed');
  assert.ok(!(await browser.text()).includes('a new key'));
  assert.deepEqual(await sandbox.control('GET', at), { ...expected, privateSigningKey: 'a new key' });
});

test('what does not fit is refused at the form, in the words of the control plane, and keeps what was typed', async () => {
  const sandbox = await server.sandbox();
  const edit = `${sandbox.ui}/records/hubster/integration/${SYSTEM}/edit`;
  const log = (await sandbox.control('GET', '/log')).total;
  for (const [name, typed, words] of [
    ['statusId', 'many', '`statusId` is of type integer'],
    ['hubId', 'nowhere', '`hubId` is of type uuid'],
    ['hubId', '00000000-0000-0000-0000-0000000000ff', 'there is no `hub` with the id'],
    ['name', 'Direct agent', 'has the same values where they must be unique'],
  ]) {
    await browser.go(edit);
    await browser.type(field(name), typed);
    await save();
    await browser.says(words, '#problem');
    await browser.has(field(name), 'value', typed);
  }
  await browser.accessible();
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}/edit`);
  await browser.type(field('created_at'), 'tomorrow');
  await save();
  await browser.says('tomorrow', '#problem');
  assert.equal((await sandbox.control('GET', '/log')).total, log, 'nothing was changed');
});

test('a record that was deleted in another tab is not edited any more, nor made again', async () => {
  const sandbox = await server.sandbox();
  const { driver } = browser;
  const page = `${sandbox.ui}/records/reportei/customer/${CUSTOMER}`;
  await browser.go(`${page}/edit`);
  await browser.type(field('name'), 'Too late');
  const first = await driver.getWindowHandle();
  await driver.switchTo().newWindow('tab');
  await browser.go(page);
  await browser.press('Delete');
  await confirm();
  await browser.says('The record is deleted');
  await driver.close();
  await driver.switchTo().window(first);
  await save();
  await browser.says(`There is no \`customer\` with the id \`${CUSTOMER}\``, '#problem');
  await browser.go(`${page}/edit?as=json`);
  await browser.says('There is no `customer`');
  // What became of it is still to be read, and that of its integration, which went with it.
  await browser.go(page);
  await browser.says('any more');
  await browser.says('delete', '#facts');
  await browser.go(`${sandbox.ui}/records/reportei/integration/${INTEGRATION}`);
  await browser.says('any more');
  await browser.accessible();
});

test('a record that is deleted under an open page says so', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer/${CUSTOMER}`);
  await browser.says('live', '#live');
  await sandbox.control('DELETE', `/state/reportei/customer/${CUSTOMER}`);
  await browser.says('There is no customer with the id', '#facts');
  await sandbox.control('POST', '/rewind', { to: (await sandbox.control('GET', '/log')).records.at(-1).entry });
  await browser.says('Reportei Customer 1', '#facts');
});

test('a record is edited as JSON, and its secret stays', async () => {
  const sandbox = await server.sandbox();
  const at = `/state/reportei/merchant/${MERCHANT}`;
  await browser.go(`${sandbox.ui}/records/reportei/merchant/${MERCHANT}/edit?as=json`);
  const area = await browser.find('#record');
  const record = JSON.parse(await area.getAttribute('value'));
  assert.equal(record.access_token, '•••');
  await browser.accessible();
  await browser.type('#record', JSON.stringify({ ...record, uuid: '11111111-2222-4333-8444-555555555555' }));
  await save();
  await browser.says('the one in the record is another', '#problem');
  await browser.type('#record', JSON.stringify({ ...record, name: 'Reportei II', available_integrations: [] }));
  await save();
  await browser.says('The record is changed');
  const kept = await sandbox.control('GET', `${at}?secrets=show`);
  assert.deepEqual([kept.name, kept.available_integrations, kept.access_token], ['Reportei II', [], 'reportei-test-token']);
});

test('a record is made of a skeleton, and not twice with one id', async () => {
  const sandbox = await server.sandbox();
  await browser.go(`${sandbox.ui}/records/reportei/customer?new=1`);
  await browser.accessible();
  const skeleton = JSON.parse(await browser.attribute('#record', 'value'));
  assert.equal(skeleton.merchant_uuid, MERCHANT, 'the first merchant that there is');
  const id = '11111111-2222-4333-8444-555555555555';
  await browser.type('#record', JSON.stringify({ ...skeleton, uuid: id, name: 'Made by hand' }));
  await browser.press('Create');
  await browser.says('The record is made');
  await browser.says('Made by hand', 'h1');
  assert.equal((await sandbox.control('GET', `/state/reportei/customer/${id}`)).name, 'Made by hand');
  await browser.go(`${sandbox.ui}/records/reportei/customer`);
  await browser.press('New customer');
  await browser.type('#record', JSON.stringify({ ...skeleton, uuid: id }));
  await browser.press('Create');
  await browser.says(`there is a record with the id \`${id}\``, '#problem');
  await browser.type('#record', '{');
  await browser.press('Create');
  await browser.says('is not JSON', '#problem');
  assert.equal((await sandbox.control('GET', '/state/reportei/customer')).total, 4);
});

test('ids that mean something in addresses, and values that mean something in HTML, are what they are', async () => {
  const sandbox = await server.sandbox();
  const ids = ['a/b', '100%', 'what?x=1', 'top#1', 'a b  c', 'é%2Fü', '<b>"\'&amp;', '{{ 7*7 }}', 'edit', 'new', '+', ';'];
  const hostile = '</textarea></script><script>document.title="taken"</script><img src=x onerror=alert(1)>';
  for (const id of ids) {
    await sandbox.control('POST', '/state/reportei/measurement', { key: id, integration_uuid: INTEGRATION, result: { text: hostile } });
  }
  await browser.go(`${sandbox.ui}/records/reportei/measurement`);
  await browser.says('{{ 7*7 }}', '#list');
  for (const id of ids) {
    await browser.go(`${sandbox.ui}/records/reportei/measurement`);
    const links = await browser.all('#list tbody tr td:first-child a');
    const texts = await Promise.all(links.map((link) => link.getAttribute('textContent')));
    await links[texts.indexOf(id)].click();
    await browser.until(`the page of ${id}`, async () => (await browser.driver.getCurrentUrl()).includes(encodeURIComponent(id).slice(0, 2)));
    await browser.says('What became of it');
    await browser.says('create', '#facts .changes');
    await browser.press('Edit');
    await browser.type(field('result'), JSON.stringify({ now: id, text: hostile }));
    await save();
    await browser.says('The record is changed');
    const all = await sandbox.control('GET', '/state/reportei/measurement?limit=1000');
    assert.deepEqual(all.records.find((record) => record.key === id).result, { now: id, text: hostile }, id);
    await browser.press('Delete');
    await confirm();
    await browser.says('The record is deleted');
  }
  const left = await sandbox.control('GET', '/state/reportei/measurement');
  assert.equal(left.total, 3, 'those of the pack');
  assert.notEqual(await browser.driver.getTitle(), 'taken');
  assert.deepEqual(await browser.complaints().then((all) => all.filter((one) => !/40[49]|422/.test(one))), []);
});

test('what is not there says so', async () => {
  const sandbox = await server.sandbox();
  for (const [path, words] of [
    ['/records/nobody/customer', 'There is no pack `nobody`'],
    ['/records/reportei/customers', 'Did you mean `customer`?'],
    ['/records/reportei/customer/nobody', 'There is no `customer` with the id `nobody`.'],
    ['/records/reportei/customer?field=nothing&value=1', 'There is no field `nothing`'],
  ]) {
    await browser.go(sandbox.ui + path);
    await browser.says(words, '#main');
  }
});
