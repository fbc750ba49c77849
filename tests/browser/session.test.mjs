// The page of a session, as a customer uses it: everything with scripts and without, because it has none.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Key, open } from './lib/browser.mjs';
import { REPORTEI, serve } from './lib/server.mjs';

const FOREIGN = '6110b666-0327-4a81-b48e-9feb34d72f78';
const START = '2024-10-01T17:15:12Z';
const END = '2024-10-01T17:20:12Z';

let server;
before(async () => {
  server = await serve('reportei');
});
after(() => server?.stop());

// A customer with a session that begins now, in a sandbox of its own.
async function visit(options = {}) {
  const sandbox = await server.sandbox({ clock: START, ...options });
  const { customer } = await sandbox.api('POST', '/reportei/customers', { name: 'Padaria Sol' }, REPORTEI);
  const headers = { ...REPORTEI, 'x-customer-token': customer.api_token };
  const body = { redirect_url: 'https://app.example/connected?from=1&to=2' };
  const made = await sandbox.api('POST', '/reportei/customer-integrations/session', body, headers);
  const event = (name, input) => sandbox.control('POST', `/events/reportei/${name}`, input);
  return {
    sandbox,
    link: made.integration_session.session_link,
    event,
    // Connects a network without the page, and gives the integration's id.
    connect: async (network) => (await event('connect', { customer_uuid: customer.uuid, network })).changes[0].id,
    clock: (body) => sandbox.control('PUT', '/clock', body),
    // What the API says is connected.
    async connected() {
      // Not over, whatever the page was told of the time.
      await sandbox.control('PATCH', `/state/reportei/customer/${customer.uuid}`, { is_paying: true });
      const list = await sandbox.api('GET', '/reportei/customer-integrations', undefined, headers);
      return list.data.map(({ uuid, status, integration }) => ({ uuid, status, network: integration.slug }));
    },
    end: (fields) => sandbox.control('PATCH', `/state/reportei/customer/${customer.uuid}`, fields),
  };
}

// What the timer says, with what the style sheet counts, as a screen reader gets it: that is made some time after the page.
async function timer(browser) {
  let nodes;
  await browser.until('screen readers know the page', async () => {
    ({ nodes } = await browser.driver.sendAndGetDevToolsCommand('Accessibility.getFullAXTree', {}));
    return nodes.some((node) => node.role?.value === 'timer');
  });
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const said = (node) => (node.role?.value === 'StaticText' ? node.name.value : (node.childIds ?? []).map((id) => said(byId.get(id))).join(''));
  const found = nodes.find((node) => node.role?.value === 'timer');
  assert.equal(found?.name.value, 'Time left in this session');
  return said(found);
}

// Does something in another tab, and comes back.
async function aside(browser, act) {
  const here = await browser.driver.getWindowHandle();
  await browser.driver.switchTo().newWindow('tab');
  await act();
  await browser.driver.close();
  await browser.driver.switchTo().window(here);
}

const GONE = 'There is no such integration any more. Nothing was changed.';
const notice = (browser, words) => browser.says(words, '[role=status]');

for (const javascript of [true, false]) {
  describe(`the page of a session ${javascript ? 'with' : 'without'} scripts`, () => {
    let browser;
    before(async () => {
      browser = await open({ javascript });
    });
    after(() => browser?.close());

    // Presses what a page that was gone back to still shows.
    const again = async (css) => {
      const [found] = await browser.all(css);
      await found?.click();
      return found !== undefined;
    };
    // The button that asks, and behind it the one that does it.
    const disconnect = async (id, name) => {
      await browser.click(`#integration-${id} summary`);
      await browser.press(`Yes, disconnect ${name}`);
    };

    test('a network is connected, revoked, and connected again', async () => {
      const { sandbox, link, event, connected } = await visit();
      await browser.go(link);
      await browser.says('Nothing is connected yet.');
      await browser.press('Connect Instagram Business');
      await browser.says('This is not Instagram Business');
      await browser.press('Allow');
      await notice(browser, 'Instagram Business is connected.');
      const [{ uuid }] = await connected();
      await browser.says('active', `#integration-${uuid}`);

      await event('revoke', { uuid });
      await browser.driver.navigate().refresh();
      await browser.says('This integration needs attention: connect Instagram Business again.', `#integration-${uuid}`);
      assert.equal((await browser.all('[role=status]')).length, 0, 'it is not connected, so nothing says that it is');
      await browser.press('Reconnect Instagram Business');
      await browser.press('Allow');
      await notice(browser, 'Instagram Business is connected.');
      await browser.count('.why', 0);
      assert.deepEqual(await connected(), [{ uuid, status: 'active', network: 'instagram_business' }]);
      const journal = await sandbox.control('GET', '/journal?limit=100');
      assert.ok(journal.records.length > 6 && !JSON.stringify(journal).includes('pack-fault'));
      assert.deepEqual(await browser.complaints(), [], 'nothing of the page is against its policy');
    });

    test('what the network refuses, or does not answer, changes nothing', async () => {
      const { link, connect, event, connected } = await visit();
      const facebook = await connect('facebook');
      await event('revoke', { uuid: facebook });
      const before = await connected();
      await browser.go(link);
      for (const [button, ask, words] of [
        ['Connect Meta Ads', 'Refuse', 'The permission was refused on the page of Meta Ads. Nothing was changed.'],
        ['Connect Meta Ads', 'Give no answer, so that it times out', 'Meta Ads did not answer in time.'],
        ['Reconnect Facebook', 'Refuse', 'The permission was refused on the page of Facebook. Nothing was changed.'],
        ['Reconnect Facebook', 'Give no answer, so that it times out', 'Facebook did not answer in time.'],
      ]) {
        await browser.press(button);
        await browser.press(ask);
        await notice(browser, words);
      }
      assert.deepEqual(await connected(), before);
    });

    test('a network is disconnected, once it is sure', async () => {
      const { link, connect, connected } = await visit();
      const id = await connect('facebook');
      await browser.go(link);
      const sure = (await browser.all(`#integration-${id} form`))[0];
      assert.equal(await sure.isDisplayed(), false);
      const summary = await browser.find(`#integration-${id} summary`);
      assert.equal(await summary.getAccessibleName(), 'Disconnect Facebook');
      await summary.click();
      await browser.says('Disconnect Facebook?', `#integration-${id} form`);
      assert.equal(await summary.getAccessibleName(), 'Keep Facebook');
      await summary.click();
      await browser.until('the question is closed', async () => !(await sure.isDisplayed()));
      assert.equal((await connected()).length, 1);

      await disconnect(id, 'Facebook');
      await notice(browser, 'Facebook is disconnected.');
      await browser.says('Nothing is connected yet.');
      assert.deepEqual(await connected(), []);
      // A browser that keeps the page before shows it as it was, with its question open.
      await browser.driver.navigate().back();
      if (await again(`#integration-${id} button`)) await notice(browser, GONE);
      await browser.says('Nothing is connected yet.');
      assert.deepEqual(await connected(), []);
    });

    test('a form that is sent twice does it once', async () => {
      const { link, connected } = await visit();
      await browser.go(`${link}/connect/facebook`);
      const allow = await browser.find('button[value=allow]');
      await browser.driver.actions().doubleClick(allow).perform();
      await browser.says(/Facebook is connected( already)?\./, '[role=status]');
      assert.equal((await connected()).length, 1);
      // A browser that has not kept the network's page is led on from there.
      await browser.driver.navigate().back();
      await again('button[value=allow]');
      await notice(browser, 'Facebook is connected already. Nothing was changed.');
      assert.equal((await connected()).length, 1);
    });

    test('two tabs do not get into each other’s way', async () => {
      const { link, connect, event, connected } = await visit();
      const id = await connect('facebook');
      await browser.go(`${link}/connect/facebook_ads`);
      await aside(browser, async () => {
        await browser.go(`${link}/connect/facebook_ads`);
        await browser.press('Allow');
        await notice(browser, 'Meta Ads is connected.');
      });
      await browser.press('Allow');
      await notice(browser, 'Meta Ads is connected already. Nothing was changed.');
      assert.equal((await connected()).length, 2);

      // The other tab disconnects; this one still shows the buttons.
      const gone = () => aside(browser, async () => {
        await browser.go(link);
        await disconnect(id, 'Facebook');
        await notice(browser, 'Facebook is disconnected.');
      });
      await event('revoke', { uuid: id });
      await browser.go(link);
      await gone();
      await disconnect(id, 'Facebook');
      await notice(browser, GONE);
      await browser.driver.navigate().back();
      await browser.go(`${link}/reconnect/${id}`);
      await notice(browser, GONE);
      assert.deepEqual((await connected()).map(({ network }) => network), ['facebook_ads']);
    });

    test('the session runs out while the page is open', async () => {
      for (const rest of ['', '/connect/facebook']) {
        const { link, clock } = await visit();
        await clock({ now: new Date(Date.parse(END) - 2500).toISOString(), mode: 'ticking' });
        await browser.go(link + rest);
        await browser.says('This session has run out', 'h1');
        await browser.at(link + rest);
      }
    });

    test('what is left is counted, unless time stands still', async () => {
      const { link, clock } = await visit();
      await browser.go(link);
      const seconds = async () => {
        const found = /^(\d+):(\d\d)Open until 17:20:12 UTC$/.exec(await timer(browser));
        return found ? Number(found[1]) * 60 + Number(found[2]) : assert.fail(await timer(browser));
      };
      const first = await seconds();
      assert.ok(first > 200 && first <= 300, `${first}`);
      await browser.until('a second is over', async () => (await seconds()) < first);

      await clock({ mode: 'frozen', now: '2024-10-01T17:19:00Z' });
      await browser.go(link);
      assert.equal(await timer(browser), 'Open until 17:20:12 UTC. Time stands still at 17:19:00');
    });

    test('what is pressed when the session is over leads to a page that says so', async () => {
      const { sandbox, link, connect, connected } = await visit({ mode: 'frozen' });
      const id = await connect('facebook');
      await browser.go(link);
      await aside(browser, async () => {
        await browser.go(`${link}/connect/facebook_ads`);
        await sandbox.control('POST', '/clock/advance', { by: '5m' });
        await browser.press('Allow');
        await browser.says('This session has run out', 'h1');
      });
      await disconnect(id, 'Facebook');
      await browser.says('This session has run out', 'h1');
      await browser.go(link);
      await browser.says('This session has run out', 'h1');
      assert.deepEqual((await connected()).map(({ network }) => network), ['facebook']);
    });

    test('the trial ends while the network asks', async () => {
      const { link, end, connected } = await visit();
      await browser.go(`${link}/connect/facebook`);
      await end({ trial_ends_at: '2024-10-01 17:15:12' });
      await browser.press('Allow');
      await browser.says('The trial has ended', 'h1');
      assert.deepEqual(await connected(), []);
    });

    test('what is unknown, or belongs to others, is not there', async () => {
      const { sandbox, link } = await visit();
      await browser.go(link.slice(0, -4) + 'beef');
      await browser.says('There is no such session', 'h1');
      await browser.go(`${link}/reconnect/${FOREIGN}`);
      await notice(browser, GONE);
      await browser.go(`${link}/connect/smoke_signals`);
      await browser.says('This network is not on offer', 'h1');
      await browser.press('Back to the page before');
      await browser.says('Integrations of Padaria Sol', 'h1');
      const other = await sandbox.control('GET', `/state/reportei/integration/${FOREIGN}`);
      assert.equal(JSON.stringify(other).includes('active'), true);
    });

    test('the button at the foot leads where the merchant wants', async () => {
      const { link } = await visit();
      await browser.go(link);
      const back = await browser.find('footer a');
      assert.equal(await back.getText(), 'Back to Reportei');
      assert.equal(await back.getDomAttribute('href'), 'https://app.example/connected?from=1&to=2');
    });
  });
}

describe('the page of a session', () => {
  let browser;
  before(async () => {
    browser = await open();
  });
  after(() => browser?.close());

  test('the keyboard is enough', async () => {
    const { link, connected } = await visit();
    const to = async (name) => {
      for (let steps = 0; steps < 20; steps += 1) {
        await browser.driver.actions().sendKeys(Key.TAB).perform();
        const at = await browser.driver.switchTo().activeElement();
        if ((await at.getAccessibleName()) === name) {
          assert.notEqual(await at.getCssValue('outline-style'), 'none', `where ${name} is, is seen`);
          return;
        }
      }
      assert.fail(`the keyboard does not come to ${name}`);
    };
    const press = (key) => browser.driver.actions().sendKeys(key).perform();
    await browser.go(link);
    await to('Connect Facebook');
    await press(Key.ENTER);
    await browser.says('asks for access to Facebook', 'h1');
    await to('Allow');
    await press(Key.SPACE);
    await notice(browser, 'Facebook is connected.');
    await to('Disconnect Facebook');
    await press(Key.SPACE);
    await to('Yes, disconnect Facebook');
    await press(Key.ENTER);
    await notice(browser, 'Facebook is disconnected.');
    assert.deepEqual(await connected(), []);
  });

  test('everybody can read it, in both themes', async () => {
    const { sandbox, link, connect, event } = await visit();
    await browser.go(link);
    await browser.accessible();
    await event('expire', { uuid: await connect('google_analytics') });
    const id = await connect('facebook');
    for (const query of ['?notice=connected&network=facebook', '?notice=no-answer&network=facebook_ads', '?notice=gone']) {
      await browser.go(link + query);
      await browser.click(`#integration-${id} summary`);
      await browser.accessible();
    }
    for (const rest of ['/connect/instagram_business', '/connect/facebook_ads', '/connect/smoke_signals', 'x']) {
      await browser.go(link + rest);
      await browser.accessible();
    }
    await sandbox.control('POST', '/clock/advance', { by: '5m' });
    await browser.go(link);
    await browser.says('This session has run out', 'h1');
    await browser.accessible();
  });

  test('it has its parts, and fits a small screen', async () => {
    const { link, connect, event } = await visit();
    await event('revoke', { uuid: await connect('instagram_business') });
    await browser.driver.manage().window().setRect({ width: 500, height: 900 });
    await browser.driver.sendDevToolsCommand('Emulation.setDeviceMetricsOverride', { width: 320, height: 700, deviceScaleFactor: 1, mobile: true });
    for (const rest of ['', '/connect/facebook', '/connect/smoke_signals']) {
      await browser.go(link + rest);
      assert.deepEqual(
        await browser.driver.executeScript('const e = document.documentElement; return [e.scrollWidth <= e.clientWidth, document.querySelectorAll("h1").length, document.querySelectorAll("main").length, document.scripts.length];'),
        [true, 1, 1, 0],
        rest,
      );
    }
    await browser.go(link);
    for (const landmark of ['header', 'main', 'footer', 'section[aria-labelledby=connected]', 'section[aria-labelledby=others]', '[role=timer]']) {
      assert.equal((await browser.all(landmark)).length, 1, landmark);
    }
  });
});
