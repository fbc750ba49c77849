// A suite that expects what the API does not do.
import assert from 'node:assert/strict';
import test from 'node:test';

test('a customer without a name is taken', async () => {
  const answer = await fetch(`${process.env.STANDIN_REPORTEI_URL}/customers`, {
    method: 'POST',
    headers: { authorization: 'Bearer reportei-test-token', 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(answer.status, 201);
});
