// Pictures of each page in both themes, into docs/screenshots: `npm run screenshots --prefix tests/browser`.
import fs from 'node:fs';
import path from 'node:path';
import { story } from './data.mjs';
import { open } from './lib/browser.mjs';
import { REPORTEI, root, serve } from './lib/server.mjs';

const folder = path.join(root, 'docs/screenshots');
// The same port each time, as it is in the pictures.
const server = await serve('--freeze', '--port', process.env.PORT ?? '4010');
try {
  const sandbox = await server.sandbox({ id: 'checkout' });
  const told = await story(sandbox);
  const fresh = await server.sandbox({ id: 'session', mode: 'ticking' });
  const token = { ...REPORTEI, 'x-customer-token': `token-${told.customer}` };
  const { integration_session: session } = await fresh.api('POST', '/reportei/customer-integrations/session', { redirect_url: 'https://reportei.com/dashboard' }, token);
  await fresh.control('POST', '/events/reportei/revoke', { uuid: told.integration });
  const ui = sandbox.ui;
  const pages = {
    index: `${server.url}/`,
    journal: `${ui}/journal`,
    entry: `${ui}/journal/${told.created}`,
    clock: `${ui}/clock`,
    records: `${ui}/records/reportei/customer/${told.customer}`,
    events: `${ui}/events`,
    webhooks: `${ui}/webhooks`,
    faults: `${ui}/faults`,
    stubs: `${ui}/stubs`,
    coverage: `${ui}/coverage`,
    sandboxes: `${ui}/sandboxes`,
    packs: `${ui}/reload`,
    reference: `${ui}/reference/reportei/customers/create`,
    session: session.session_link,
  };
  const wanted = process.argv.slice(2);
  fs.mkdirSync(folder, { recursive: true });
  for (const theme of ['light', 'dark']) {
    const browser = await open({ theme, width: 1440, height: 1000 });
    try {
      for (const [name, url] of Object.entries(pages)) {
        if (wanted.length > 0 && !wanted.includes(name)) continue;
        await browser.go(url);
        await browser.find('h1');
        if (url.includes('/ui/')) await browser.says('live', '#live');
        const file = path.join(folder, `${name}-${theme}.png`);
        fs.writeFileSync(file, await browser.driver.takeScreenshot(), 'base64');
        console.log(path.relative(root, file));
      }
    } finally {
      await browser.close();
    }
  }
} finally {
  await server.stop();
}
