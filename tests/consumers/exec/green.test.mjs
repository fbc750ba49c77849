// A suite as a user of an API writes it: plain `fetch`, nothing of ours. The server is where the environment says.
import assert from 'node:assert/strict';
import test from 'node:test';

const api = process.env.STANDIN_REPORTEI_URL;
const headers = { authorization: 'Bearer reportei-test-token', 'content-type': 'application/json' };

const call = (method, path, body) =>
  fetch(`${api}${path}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });

test('a customer is created, shown and deleted', async () => {
  const created = await call('POST', '/customers', { name: 'Of the suite' });
  assert.equal(created.status, 201);
  const { customer } = await created.json();
  assert.equal(customer.name, 'Of the suite');
  const shown = await call('GET', `/customers/${customer.uuid}`);
  assert.equal(shown.status, 200);
  assert.equal((await shown.json()).customer.uuid, customer.uuid);
  assert.equal((await call('DELETE', `/customers/${customer.uuid}`)).status, 200);
  assert.equal((await call('GET', `/customers/${customer.uuid}`)).status, 404);
});

test('a stranger is refused', async () => {
  const answer = await fetch(`${api}/customers`);
  assert.equal(answer.status, 401);
});

test('the base URL of the server leads to the same pack', async () => {
  const answer = await fetch(`${process.env.STANDIN_URL}/reportei/customers`, { headers });
  assert.equal(answer.status, 200);
  assert.ok((await answer.json()).data.length > 0);
});
