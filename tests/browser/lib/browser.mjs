// Chromium by its driver, as Debian has them, and what tests ask of a page.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { Builder, By, Key, until } from 'selenium-webdriver';
import chrome from 'selenium-webdriver/chrome.js';

export { By, Key, until };

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// How long anything may take before it counts as stuck. Nothing is measured with it.
export const PATIENCE = 15000;

// Does something with an element that a part of the page may have replaced since it was found: then it is found anew, and
// nothing was done with the one before.
async function present(act) {
  const end = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (error.name !== 'StaleElementReferenceError' || Date.now() > end) throw error;
    }
  }
}

// A browser with a fresh profile. `javascript: false` has pages without scripts, `theme` is `light` or `dark`.
export async function open({ javascript = true, theme = 'light', width = 1280, height = 900 } = {}) {
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'standin-browser-'));
  const options = new chrome.Options()
    .setChromeBinaryPath(process.env.CHROMIUM ?? '/usr/bin/chromium')
    .addArguments(
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--disable-dev-shm-usage', '--force-color-profile=srgb', '--hide-scrollbars',
      `--user-data-dir=${profile}`, `--window-size=${width},${height}`,
    );
  if (!javascript) options.setUserPreferences({ 'profile.managed_default_content_settings.javascript': 2 });
  const logs = { browser: 'ALL' };
  options.set('goog:loggingPrefs', logs);
  const service = new chrome.ServiceBuilder(process.env.CHROMEDRIVER ?? '/usr/bin/chromedriver');
  const driver = await new Builder().forBrowser('chrome').setChromeOptions(options).setChromeService(service).build();
  await driver.manage().setTimeouts({ pageLoad: PATIENCE, script: PATIENCE });
  const browser = {
    driver,
    javascript,

    go: (url) => driver.get(url),
    // The first element that fits, as soon as it is there and seen.
    find: (css) => present(async () => {
      const element = await driver.wait(until.elementLocated(By.css(css)), PATIENCE, `no ${css}`);
      return driver.wait(until.elementIsVisible(element), PATIENCE, `${css} is not seen`);
    }),
    all: (css) => driver.findElements(By.css(css)),
    click: (css) => present(async () => (await browser.find(css)).click()),
    type: (css, text) => present(async () => {
      const field = await browser.find(css);
      await field.clear();
      await field.sendKeys(text);
    }),
    // A button or a link by what it is called.
    press: (name) => present(async () => {
      const quoted = JSON.stringify(name);
      const where = `//*[self::button or self::a or self::summary][normalize-space()=${quoted} or @aria-label=${quoted}]`;
      const element = await driver.wait(until.elementLocated(By.xpath(where)), PATIENCE, `nothing is called ${name}`);
      await driver.wait(until.elementIsVisible(element), PATIENCE, `${name} is not seen`);
      await element.click();
    }),
    text: (css = 'body') => present(async () => (await browser.find(css)).getText()),
    attribute: (css, name) => present(async () => (await browser.find(css)).getAttribute(name)),
    // Waits until an element has an attribute, or a property, of this value.
    async has(css, name, value) {
      let last;
      await browser.until(`${css} has ${name} ${value}`, async () => {
        last = await (await driver.findElement(By.css(css))).getAttribute(name);
        return last === value;
      }).catch(() => assert.equal(last, value, `${css} has another ${name}`));
    },
    // Waits until there are so many elements.
    async count(css, wanted) {
      let last;
      await browser.until(`${wanted} of ${css}`, async () => {
        last = (await driver.findElements(By.css(css))).length;
        return last === wanted;
      }).catch(() => assert.equal(last, wanted, css));
    },
    // Waits until the address has this in it.
    async at(what) {
      let last = '';
      const fits = () => (what instanceof RegExp ? what.test(last) : last.includes(what));
      await browser.until(`an address with ${what}`, async () => {
        last = await driver.getCurrentUrl();
        return fits();
      }).catch(() => assert.fail(`the address is ${last}, which has no ${what}`));
    },
    // Waits until the page, or a part of it, says something. What is replaced meanwhile is looked for again.
    async says(what, css = 'body') {
      let last = '';
      const fits = (text) => (what instanceof RegExp ? what.test(text) : text.includes(what));
      await driver.wait(async () => {
        try {
          last = await (await driver.findElement(By.css(css))).getText();
          return fits(last);
        } catch {
          return false;
        }
      }, PATIENCE).catch(() => assert.fail(`${css} never said ${what}; it said:\n${last}`));
      return last;
    },
    // Waits until something is so.
    async until(what, holds) {
      await driver.wait(async () => {
        try {
          return await holds();
        } catch {
          return false;
        }
      }, PATIENCE, `never so: ${what}`);
    },
    async theme(name) {
      await driver.sendDevToolsCommand('Emulation.setEmulatedMedia', {
        features: [{ name: 'prefers-color-scheme', value: name }],
      });
    },
    // What axe-core finds that is serious or worse, in both themes.
    async accessible() {
      for (const name of ['light', 'dark']) {
        // In one step: what changes with a transition would be caught in the middle of it.
        await driver.sendDevToolsCommand('Emulation.setEmulatedMedia', {
          features: [{ name: 'prefers-color-scheme', value: name }, { name: 'prefers-reduced-motion', value: 'reduce' }],
        });
        await driver.executeScript(`${axe}; window.axe = axe;`);
        const found = await driver.executeAsyncScript(
          'const done = arguments[arguments.length - 1]; axe.run(document).then((r) => done(r.violations), (e) => done([{ id: String(e), impact: "critical", nodes: [] }]));',
        );
        const serious = found.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        const told = serious.map(({ id, help, nodes }) =>
          `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join('\n')}`);
        assert.deepEqual(told, [], `${await driver.getCurrentUrl()} in ${name}:\n${told.join('\n')}`);
      }
      await browser.theme(theme);
    },
    // What the browser has complained of: errors of scripts, files that are not there, things that the policy forbids.
    async complaints() {
      const entries = await driver.manage().logs().get('browser');
      // What a form is refused with is shown on the page, and the browser tells it as well.
      const refused = /(status of|Error Code) (400|409|410|413|422)\b/;
      return entries.map((entry) => entry.message).filter((message) => !refused.test(message));
    },
    async close() {
      await driver.quit();
      fs.rmSync(profile, { recursive: true, force: true });
    },
  };
  await browser.theme(theme);
  return browser;
}
