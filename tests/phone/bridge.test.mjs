// The same pages in an app's WebView: no port, every question and answer goes through the bridge
// that the app puts there. The app here is this test, which has the core behind it.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {extname, join, resolve} from 'node:path';
import {test} from 'node:test';
import {go, phone, seen, until, withTownship} from './stage.mjs';

const folder = resolve(process.env.ZHIBU_PAGES ?? 'build/dev/client-core/pages');
const types = {'.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml'};
const policy = "default-src 'self'; connect-src 'none'";

test('In a WebView the pages ask the app by its bridge, and open no connection', withTownship(async (township) => {
  const owner = await township.open('secretary');
  const {origin} = new URL(owner.address);
  const [{name, value}] = await owner.context().cookies();

  const context = await township.browsers[0].newContext({viewport: phone});
  const page = await context.newPage();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.route('**/*', (route) => {
    const path = new URL(route.request().url()).pathname;
    const file = path === '/' ? '/index.html' : path;
    return route.fulfill({
      body: readFileSync(join(folder, file)), contentType: types[extname(file)], headers: {'Content-Security-Policy': policy},
    });
  });
  // What an app does with zhibu.h.
  await page.exposeFunction('zhibuNative', async (text) => {
    const {id, name: called, body} = JSON.parse(text);
    const answer = await fetch(`${origin}/core/${called}`, {
      method: 'POST', headers: {Origin: origin, Cookie: `${name}=${value}`}, body: Buffer.from(body, 'base64'),
    });
    const bytes = Buffer.from(await answer.arrayBuffer()).toString('base64');
    await page.evaluate((reply) => window.zhibu.onmessage({data: reply}), JSON.stringify({id, code: answer.ok ? 0 : 9, body: bytes}));
  });
  await page.addInitScript(() => {
    window.zhibu = {postMessage: (message) => { void window.zhibuNative(message); }, onmessage: null};
  });
  page.address = 'https://zhibu.example/';
  await page.goto(page.address);
  await seen(page, '主题党日：修水渠');
  await go(page, '/new/Visit');
  await page.locator('[id="f-visitedOn"]').fill('2026-11-20');
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, '已保存在本机');
  // A refusal in words comes over it, too.
  await go(page, '/pass');
  await until('why there is none', () => page.locator('p.warn').first().isVisible());
  assert.deepEqual(asked.filter((url) => !url.startsWith('https://zhibu.example/')), []);
}));
