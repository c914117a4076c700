// The first page of each role, what it says without a server, and that it says China's time.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {go, overflow, picture, seen, textOf, until, withTownship} from './stage.mjs';

test('A secretary sees the state of sync, today\'s meeting and what wants a decision', withTownship(async (township) => {
  const page = await township.open('secretary');
  await seen(page, '主题党日：修水渠');
  assert.match(await textOf(page, '[data-test="sync"]'), /没有未发送的 · 上次同步/);
  assert.match(await textOf(page, '[data-test="today"]'), /19:30 水渠边/);
  const decide = page.locator('[data-test="decide"]');
  await until('conflict is counted', async () => /冲突\s*1/.test(await decide.innerText()));
  assert.match(await decide.innerText(), /待审\s*1/);
  await until('what is due is counted', async () => /逾期\s*\d/.test(await decide.innerText()), 20_000);
  assert.equal(await overflow(page), 0);
  await picture(page, 'secretary', {fullPage: true});
  assert.deepEqual(page.faults, []);
}));

test('A migrant member sees the stay with days left, the pass, dues and the next activities', withTownship(async (township) => {
  const page = await township.open('migrant');
  await seen(page, '党课：农村基层治理');
  await seen(page, '还有 12 天');
  await seen(page, '陈书记 000-0000-2000');
  await seen(page, '青石-001');
  await seen(page, '已记 18.50 元');
  assert.equal(await overflow(page), 0);
  await picture(page, 'migrant', {fullPage: true});
  // More time is asked for, and what was done is here and not there.
  await township.stopServer();
  await page.getByRole('link', {name: '申请延期'}).click();
  await page.getByRole('button', {name: '申请延期'}).click();
  await page.getByLabel('延期到').fill('2027-12-31');
  await page.getByRole('button', {name: /确定/}).click();
  await seen(page, '已保存在本机，未送达');
  await township.startServer();
  await page.goBack();
  await page.locator('[data-test="sync"]').click();
  await seen(page, '申请延期至 2027-12-31');
  await until('it has arrived', async () => /没有未发送的/.test(await textOf(page, '[data-test="sync"]')), 30_000);
  assert.deepEqual(page.faults, []);
}));

test('Without a server every page says so in words, and goes on working', withTownship(async (township) => {
  const page = await township.open('secretary');
  await until('it is in step', async () => /没有未发送的/.test(await textOf(page, '[data-test="sync"]')));
  await township.stopServer();
  await go(page, '/new/Visit');
  await page.getByRole('button', {name: '保存'}).waitFor();
  await page.locator('[id="f-visitedOn"]').fill('2026-11-20');
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, '已保存在本机，未送达');
  await go(page, '/');
  await page.locator('[data-test="sync"]').click();
  await until('why it is not in step', async () => /未发送 1[\s\S]*(连|网络|服务器)/.test(await textOf(page, '[data-test="sync"]')), 30_000);
  await picture(page, 'offline');
  await go(page, '/sync');
  await seen(page, '未能同步');
  // A file for a courier.
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', {name: /交人带出/}).click()]);
  assert.match(file.suggestedFilename(), /^zhibu-.*\.parcel$/);
  await seen(page, '文件里有 1 笔修改');
  await picture(page, 'sync', {fullPage: true});
  await township.startServer();
  await page.locator('[data-test="sync"]').click();
  await until('it has arrived', async () => /没有未发送的/.test(await textOf(page, '[data-test="sync"]')), 30_000);
  await seen(page, '都已送达');
  assert.deepEqual(page.faults, []);
}));

test('Somebody is found by initials, and a list by its filters', withTownship(async (township) => {
  const page = await township.open('secretary');
  await page.getByLabel('找人：姓名、拼音或首字母').fill('bbh');
  await page.getByRole('button', {name: '查找'}).focus();
  await page.getByLabel('找人：姓名、拼音或首字母').press('Enter');
  await seen(page, '丙滨海');
  await go(page, '/list/Meeting');
  await seen(page, '十月党员大会');
  await page.getByText('筛选').click();
  await page.getByLabel('状态').selectOption('HELD');
  await until('only what was held', async () => !(await page.getByText('党课：农村基层治理').isVisible()));
  await seen(page, '十月党员大会');
  await page.getByLabel(/月份/).fill('2020-01');
  await seen(page, '没有符合的记录');
  await page.getByLabel(/月份/).fill('');
  await seen(page, '十月党员大会');
  await page.getByLabel(/主题/).fill('zzz');
  await seen(page, '没有符合的记录');
  await go(page, '/list/DuesPayment');
  await page.getByText('筛选').click();
  await page.getByLabel(/月份/).fill('2020-01');
  await seen(page, '没有符合的记录');
  await go(page, '/list/Pass');
  await page.getByText('筛选').click();
  await page.getByLabel(/月份/).fill('2020-01');
  await seen(page, '没有符合的记录');
  assert.deepEqual(page.faults, []);
}));

test('Text grows in three sizes, and speaks English, and stays so when it is opened again', withTownship(async (township) => {
  const page = await township.open('migrant');
  await go(page, '/me');
  await page.getByRole('button', {name: '特大'}).click();
  await page.getByRole('button', {name: 'English'}).click();
  await seen(page, 'My devices');
  assert.equal(await overflow(page), 0);
  await picture(page, 'me-english-large', {fullPage: true});
  await township.killScreen('migrant');
  const again = await township.open('migrant');
  await seen(again, 'Scan to check in');
  assert.equal(await again.evaluate(() => getComputedStyle(document.documentElement).fontSize), '23px');
  assert.equal(await overflow(again), 0);
  assert.equal(await again.evaluate(() => document.documentElement.lang), 'en');
  assert.deepEqual(await again.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]), [0, 0, '']);
}));
