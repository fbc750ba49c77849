// The same check as in receiver.py, as somebody with Node writes it: `node receiver.mjs KEY`. The first line tells the address.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const key = process.argv[2]
const seen = []

function isSigned(headers, body) {
  const expected = createHmac('sha256', key).update(body).digest()
  const given = Buffer.from(headers['x-hubster-signature'] ?? '', 'base64')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

const server = createServer(async (request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify(seen))
  const parts = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts)
  const signed = isSigned(request.headers, body)
  seen.push({ signed, ...JSON.parse(body) })
  response.writeHead(signed ? 200 : 403).end()
})

server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`))
