// Every page, in three sizes of text, looked through for what keeps people out; and as wide as the
// phone, with nothing too small for a finger.
import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';
import {test} from 'node:test';
import {go, overflow, pause, withTownship} from './stage.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const pages = {
  secretary: ['/', '/catalogue', '/list/Meeting', '/list/Member', '/new/Meeting', '/new/Member', '/new/DuesPayment', '/decide/conflicts',
    '/decide/held', '/decide/pairs', '/due', '/search', '/sync', '/me', '/stays', 'meeting', 'check-in'],
  migrant: ['/', '/stays', '/pass', '/accesses', '/scan', '/verify', '/me'],
  deputy: ['/decide/aside'],
};

// Links inside a sentence are as high as it is.
const tooSmall = () => [...document.querySelectorAll('button, a, input, select, textarea, summary')]
  .filter((one) => {
    const box = one.getBoundingClientRect();
    const tick = one.matches('input[type=checkbox], input[type=radio]');
    const hidden = box.width === 0 || one.closest('.visually-hidden');
    return !hidden && !tick && !one.closest('p') && (box.height < 43.5 || box.width < 43.5);
  }).map((one) => one.outerHTML.slice(0, 120));

async function findings(page) {
  const result = await page.evaluate(() => window.axe.run(document, {resultTypes: ['violations', 'passes']}));
  if (result.passes.length === 0) return ['axe has looked at nothing'];
  return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`);
}

for (const [who, paths] of Object.entries(pages)) {
  test(`Nobody is kept out of the pages of the ${who}`, withTownship(async (township) => {
    const page = await township.open(who);
    // Run by the tester's own hand, as the policy of the page lets nobody else.
    const client = await page.context().newCDPSession(page);
    const wrong = [];
    for (const size of [1, 2, 3]) {
      for (const path of paths) {
        await go(page, '/list/Meeting');
        if (path === 'meeting' || path === 'check-in') {
          await page.getByRole('link', {name: /主题党日/}).click();
          if (path === 'check-in') await page.getByRole('link', {name: '签到', exact: true}).click();
        } else {
          await go(page, path);
        }
        await page.locator('h1').waitFor();
        await pause(350);
        await page.evaluate((text) => {
          document.documentElement.dataset.text = String(text);
          for (const one of document.querySelectorAll('details')) one.open = true;
        }, size);
        if (!(await page.evaluate(() => 'axe' in window))) await client.send('Runtime.evaluate', {expression: axe});
        for (const one of await findings(page)) wrong.push(`${path} in size ${size}: ${one}`);
        for (const one of await page.evaluate(tooSmall)) wrong.push(`${path} in size ${size} is too small: ${one}`);
        if ((await overflow(page)) > 0) wrong.push(`${path} in size ${size} is wider than the phone`);
      }
    }
    assert.deepEqual(wrong, []);
  }));
}

test('All is reached by the keyboard alone', withTownship(async (township) => {
  const page = await township.open('secretary');
  const reached = new Set();
  for (let i = 0; i < 40; ++i) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.textContent?.trim().slice(0, 20)));
  }
  for (const text of ['开始签到', '会议', '考勤', '党费', '首页', '同步']) assert.ok(reached.has(text), `${text} is not reached`);
  await page.getByRole('link', {name: '开始签到'}).focus();
  await page.keyboard.press('Enter');
  await page.locator('svg.qr').waitFor();
}));
