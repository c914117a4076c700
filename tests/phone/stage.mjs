// What the tests of the pages stand on: a township that is made once, a server and devices that are
// real processes, and browsers of the size of a small phone.
import {execFileSync, spawn} from 'node:child_process';
import {cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {chromium} from 'playwright-core';

export const here = dirname(fileURLToPath(import.meta.url));
const program = resolve(process.env.ZHIBU_PHONE ?? 'build/dev/bin/zhibu-phone');
const chrome = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const pictures = process.env.ZHIBU_PICTURES;

export const phone = {width: 360, height: 640};

const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--lang=zh-CN',
];

export const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

// Until `look` gives something that is true.
export async function until(what, look, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`it has not come: ${what}`);
    await pause(50);
  }
}

// The first line of JSON that a process says.
function firstLine(child, name) {
  return new Promise((done, fail) => {
    let said = '';
    let erred = '';
    child.stderr.on('data', (bytes) => { erred += bytes; });
    child.stdout.on('data', (bytes) => {
      said += bytes;
      const end = said.indexOf('\n');
      if (end >= 0) done(JSON.parse(said.slice(0, end)));
    });
    child.on('exit', (code) => fail(new Error(`${name} ended with ${code}: ${said}${erred}`)));
  });
}

async function ended(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => { child.on('exit', done); });
  child.kill(signal);
  await gone;
}

// Made once for all tests, then copied: each has one that nobody has touched.
function made() {
  const at = process.env.ZHIBU_TOWNSHIP ?? join(tmpdir(), `zhibu-township-${process.ppid}`);
  if (!existsSync(join(at, 'township.json'))) {
    rmSync(at, {recursive: true, force: true});
    mkdirSync(at, {recursive: true});
    execFileSync(join(here, '../demo/phone.sh'), [program, '--keep', '--made'],
      {env: {...process.env, ZHIBU_DEMO_WORK: at}, stdio: ['ignore', 'ignore', 'inherit']});
  }
  return at;
}

export class Township {
  static async open() {
    const township = new Township();
    township.folder = mkdtempSync(join(tmpdir(), 'zhibu-phone-'));
    cpSync(made(), township.folder, {recursive: true});
    township.port = JSON.parse(readFileSync(join(township.folder, 'township.json'))).port;
    township.screens = new Map();
    township.browsers = [];
    return township;
  }

  async startServer() {
    this.server = spawn(program, ['--json', 'serve', '--data', join(this.folder, 'server'), '--listen', `127.0.0.1:${this.port}`]);
    await firstLine(this.server, 'the server');
  }
  async stopServer() {
    if (this.server) await ended(this.server, 'SIGTERM');
    this.server = undefined;
  }

  home(name) { return join(this.folder, name); }

  // A command of a device that has no screen open.
  device(name, ...words) {
    return JSON.parse(execFileSync(program, ['--json', 'device', '--home', this.home(name), ...words]).toString() || 'null');
  }
  admin(...words) {
    return JSON.parse(execFileSync(program, ['--json', 'admin', '--data', join(this.folder, 'server'), ...words]).toString() || 'null');
  }

  // The process that shows a device's pages; gives where.
  async startScreen(name, ...options) {
    const child = spawn(program, ['--json', 'device', '--home', this.home(name), 'screen', ...options]);
    this.screens.set(name, child);
    return (await firstLine(child, name)).address;
  }
  async killScreen(name, signal = 'SIGKILL') {
    await ended(this.screens.get(name), signal);
  }

  // A browser of its own, as on a phone of its own. `video`: what its camera sees.
  async browser({video, viewport = phone} = {}) {
    const camera = video
      ? ['--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-video-capture=${video}`] : [];
    const env = {...process.env, LANGUAGE: 'zh_CN', LANG: 'zh_CN.UTF-8'};
    const browser = await chromium.launch({executablePath: chrome, args: [...flags, ...camera], env});
    this.browsers.push(browser);
    // Elsewhere than in China: what is shown is China's time all the same.
    const context = await browser.newContext({viewport, locale: 'zh-CN', timezoneId: 'America/New_York', acceptDownloads: true});
    const page = await context.newPage();
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(String(error)));
    page.on('console', (message) => { if (message.type() === 'error') page.faults.push(message.text()); });
    return page;
  }

  // A screen and somebody before it.
  async open(name, {video, viewport, options = []} = {}) {
    const page = await this.browser({video, viewport});
    page.address = await this.startScreen(name, ...options);
    await page.goto(page.address);
    await page.waitForSelector('[data-test="sync"]:not([disabled])');
    return page;
  }

  async close() {
    await Promise.all(this.browsers.map((browser) => browser.close()));
    await Promise.all([...this.screens.values()].map((child) => ended(child, 'SIGKILL')));
    if (this.server) await ended(this.server, 'SIGKILL');
    rmSync(this.folder, {recursive: true, force: true});
  }
}

// Runs `test` with a township of its own, with a server that runs.
export const withTownship = (test, {server = true} = {}) => async () => {
  const township = await Township.open();
  try {
    if (server) await township.startServer();
    await test(township);
  } finally {
    await township.close();
  }
};

export const go = async (page, path) => {
  await page.goto(`${new URL(page.address).origin}/#${path}`);
  await page.locator(`main[data-path="${path}"] h1`).waitFor();
};
export const textOf = (page, selector) => page.locator(selector).first().innerText();
export const seen = (page, text) => page.getByText(text, {exact: false}).first().waitFor();
// What is read from a page that is as wide as the window, no wider.
export const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
// Kept where ZHIBU_PICTURES says, for people to look at. `fullPage`: as if the phone were as long.
export async function picture(page, name, {fullPage = false} = {}) {
  if (!pictures) return;
  const height = fullPage ? await page.evaluate(() => document.documentElement.scrollHeight) : phone.height;
  await page.setViewportSize({width: phone.width, height: Math.max(height, phone.height)});
  await page.screenshot({path: join(pictures, `${name}.png`)});
  await page.setViewportSize(phone);
}
