// A receiver of webhooks on this machine that answers as it is told to.
import http from 'node:http';

// `plan` has the statuses of the answers, one after the other; the last one goes on. `heard` fills with what came.
export async function receive(...plan) {
  const heard = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const status = plan[Math.min(heard.length, plan.length - 1)] ?? 200;
    heard.push({ headers: request.headers, body, status });
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ answered: status }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/hook`,
    heard,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
