// What another program of this machine, and another page of the same browser, can do: nothing.
import assert from 'node:assert/strict';
import {createServer, request} from 'node:http';
import {test} from 'node:test';
import {pause, seen, until, withTownship} from './stage.mjs';

const ask = (address, path, {method = 'POST', headers = {}, body = ''} = {}) => new Promise((done, fail) => {
  const to = new URL(address);
  const call = request({host: to.hostname, port: to.port, path, method, headers}, (answer) => {
    answer.resume();
    answer.on('end', () => done(answer));
  });
  call.on('error', fail);
  call.end(body);
});

test('Without the address nothing of the device is to be had', withTownship(async (township) => {
  const page = await township.open('secretary');
  const {origin, host} = new URL(page.address);
  const own = {Origin: origin, Host: host};
  const token = new URL(page.address).hash.slice(1);
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: own})).statusCode, 401);
  assert.equal((await ask(origin, '/token', {headers: own, body: token})).statusCode, 401, 'it has been spent');
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: {...own, Cookie: `zhibu-${new URL(origin).port}=${token}`}})).statusCode, 401);
  assert.equal((await ask(origin, '/events', {method: 'GET', headers: {Host: host}})).statusCode, 401);
  // The cookie itself is of no use to a page that comes from elsewhere, or under another name.
  const [{name, value}] = await page.context().cookies();
  const Cookie = `${name}=${value}`;
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: {...own, Cookie}})).statusCode, 200);
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: {...own, Origin: 'http://evil.example', Cookie}})).statusCode, 403);
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: {Host: host, Cookie}})).statusCode, 403);
  assert.equal((await ask(origin, '/core/zhibu_state', {headers: {Origin: origin, Host: 'evil.example', Cookie}})).statusCode, 403);
  assert.equal((await ask(origin, '/../../etc/passwd', {method: 'GET', headers: own})).statusCode, 404);
  assert.equal((await ask(origin, '/core/zhibu_rekey', {headers: {...own, Cookie}})).statusCode, 404);
  // A frame that is too long is not read.
  assert.notEqual((await ask(origin, '/core/zhibu_commit', {headers: {...own, Cookie}, body: Buffer.alloc(9 << 20)}).catch(() => ({statusCode: 0}))).statusCode, 200);
  assert.equal(await page.evaluate(() => document.cookie), '');
  assert.equal(new URL(page.url()).hash.includes(token), false, 'the token is out of the address');
}));

test('A page of another port asks in vain, though the browser would send the cookie along', withTownship(async (township) => {
  const page = await township.open('secretary');
  const {origin} = new URL(page.address);
  const evil = createServer((_call, answer) => {
    answer.setHeader('Content-Type', 'text/html');
    answer.end('<iframe id="f"></iframe><p>evil</p>');
  });
  await new Promise((done) => { evil.listen(0, '127.0.0.1', done); });
  try {
    const other = await page.context().newPage();
    await other.goto(`http://127.0.0.1:${evil.address().port}/`);
    const said = await other.evaluate(async (to) => {
      const tried = [];
      const frame = document.getElementById('f');
      for (const [path, options] of [['/core/zhibu_state', {method: 'POST', credentials: 'include'}], ['/core/zhibu_state', {method: 'POST', mode: 'no-cors', credentials: 'include'}],
        ['/events', {credentials: 'include'}]]) {
        tried.push(await fetch(to + path, options).then((answer) => (answer.type === 'opaque' ? 'opaque' : answer.status), () => 'refused'));
      }
      frame.src = to;
      await new Promise((done) => { frame.onload = done; setTimeout(done, 1000); });
      tried.push(frame.contentDocument === null ? 'not to be read' : 'framed');
      return tried;
    }, origin);
    assert.deepEqual(said.filter((one) => one === 200), []);
    assert.equal(said.at(-1), 'not to be read');
    const state = await page.evaluate(() => fetch('/core/zhibu_state', {method: 'POST'}).then((answer) => answer.status));
    assert.equal(state, 200, 'and the page itself goes on');
  } finally {
    evil.close();
  }
}));

test('Nothing that is written into a page runs, and nothing is fetched from elsewhere', withTownship(async (township) => {
  const page = await township.open('secretary');
  const ran = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'window.ran = true';
    document.body.append(script);
    const elsewhere = await fetch('http://127.0.0.1:9/').then(() => 'fetched', () => 'refused');
    setTimeout('window.ran = true');
    await new Promise((done) => { setTimeout(done, 100); });
    return [window.ran === true, elsewhere];
  });
  assert.deepEqual(ran, [false, 'refused']);
}));

test('What people wrote is shown as they wrote it, and runs nothing', withTownship(async (township) => {
  const page = await township.open('secretary');
  const nasty = '<img src=x onerror=window.ran=1>{{7*7}}';
  await page.goto(`${new URL(page.address).origin}/#/new/Meeting`);
  await page.getByLabel('主题').first().fill(nasty);
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, nasty);
  assert.equal(await page.evaluate(() => window.ran), undefined);
}));

test('A clock runs out with nobody there: it locks, and what was begun is kept', withTownship(async (township) => {
  const page = await township.open('secretary', {options: ['--idle', '4s']});
  await page.goto(`${new URL(page.address).origin}/#/new/Meeting`);
  await page.getByLabel('主题').first().fill('锁定前写的');
  await seen(page, '已密封存放在本机');
  await page.locator('.trouble').waitFor({timeout: 30_000});
  await pause(100);
  await until('it says so', async () => /已锁定/.test(await page.locator('.trouble').innerText()));
  assert.equal(await page.getByLabel('主题').count(), 0, 'what was shown is hidden');
}));
