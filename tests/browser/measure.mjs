// How fast the journal opens with 10,000 entries, and how soon a request appears on it, in Chromium:
// `STANDIN_BINARY=target/release/standin npm run measure --prefix tests/browser`.
import { open } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const ENTRIES = 10000;
const ROUNDS = 20;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const told = (what, numbers) =>
  console.log(`${what}: median ${median(numbers).toFixed(0)} ms, most ${Math.max(...numbers).toFixed(0)} ms, of ${numbers.length}`);

const server = await serve();
const browser = await open();
try {
  const sandbox = await server.sandbox();
  const page = `${sandbox.ui}/journal`;
  const opened = async () => {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await browser.go(page);
      times.push(await browser.driver.executeScript('const [n] = performance.getEntriesByType("navigation"); return n.domContentLoadedEventEnd'));
    }
    return times;
  };
  told('opened, empty', await opened());
  for (let done = 0; done < ENTRIES; done += 50) {
    await Promise.all(Array.from({ length: 50 }, () => sandbox.api('GET', '/reportei/customers', undefined, REPORTEI)));
  }
  told(`opened, ${ENTRIES} entries`, await opened());
  await browser.says('live', '#live');
  const seen = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const name = `/reportei/customers?round=${round}`;
    // From before the request is sent, by the page itself, to the row that stands there.
    seen.push(await browser.driver.executeAsyncScript(`
      const [url, path, done] = arguments;
      const before = document.querySelector('[data-row]')?.id;
      const start = performance.now();
      const watch = new MutationObserver(() => {
        const now = document.querySelector('[data-row]')?.id;
        if (now !== before) { watch.disconnect(); requestAnimationFrame(() => done(performance.now() - start)); }
      });
      watch.observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
      fetch(url, { headers: { authorization: 'Bearer reportei-test-token' } });
    `, `${sandbox.base}${name}`, name));
  }
  told('a request appears', seen);
} finally {
  await browser.close();
  await server.stop();
}
