// Forms: what is typed is never lost, what the rules say of it is shown, and what others change
// meanwhile stands beside it.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {go, overflow, picture, seen, textOf, until, withTownship} from './stage.mjs';

test('The process is killed in the middle of a form, and nothing of it is lost', withTownship(async (township) => {
  const page = await township.open('secretary');
  await go(page, '/new/Meeting');
  await page.getByLabel('主题').first().pressSequentially('没写完的支委会');
  await page.getByLabel('地点').pressSequentially('村委会二楼', {delay: 20});
  await seen(page, '已密封存放在本机');
  // Whatever is under way when the last key is up.
  await township.killScreen('secretary');
  const again = await township.open('secretary');
  await seen(again, '会议 没写完的支委会');
  await again.locator('[data-test="sketches"] a').click();
  await until('all that was typed', async () => (await again.getByLabel('地点').inputValue()) === '村委会二楼');
  assert.equal(await again.getByLabel('主题').first().inputValue(), '没写完的支委会');
  await again.getByRole('button', {name: '保存'}).click();
  await seen(again, '已保存在本机');
  await go(again, '/');
  assert.equal(await again.locator('[data-test="sketches"]').count(), 0);
  await go(again, '/list/Meeting');
  await seen(again, '没写完的支委会');
}));

test('A form is made from the declaration: labels, codes, dates, references, repeated elements', withTownship(async (township) => {
  const page = await township.open('secretary');
  await go(page, '/new/DuesPayment');
  await page.getByLabel('党员', {exact: false}).first().fill('bbh');
  await page.getByRole('button', {name: /丙滨海/}).click();
  await page.getByLabel(/^金额/).fill('18.5');
  await page.getByLabel(/^月份/).fill('2026-09');
  await page.getByLabel('方式').selectOption('CASH');
  await picture(page, 'form', {fullPage: true});
  assert.equal(await overflow(page), 0);
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, '18.50 元');
  await seen(page, '丙滨海');

  await go(page, '/new/Meeting');
  await page.getByLabel('主题').first().fill('有议程的会');
  await page.locator('summary', {hasText: '更多'}).click();
  await page.getByRole('button', {name: '＋ 议程'}).click();
  await page.getByLabel('议题').fill('修水渠');
  await page.getByRole('button', {name: '＋ 列席人员'}).click();
  await page.getByLabel('列席人员 1').fill('张乡长');
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, '修水渠');
  await seen(page, '张乡长');
  assert.deepEqual(page.faults, []);
}));

test('What is missing is said once somebody saves, and what a rule finds while they type', withTownship(async (township) => {
  const page = await township.open('secretary');
  await go(page, '/new/DuesPayment');
  await page.getByLabel(/^金额/).fill('18.5');
  await page.waitForTimeout(800);
  assert.equal(await page.locator('[data-test="refusal"]').count(), 0);
  await page.getByRole('button', {name: '保存'}).click();
  await page.locator('[data-test="refusal"]').waitFor();
  await go(page, '/new/Notice');
  await page.getByLabel('标题').first().fill('电话 13800138000');
  await seen(page, '号码');
}));

test('A row that others change under an open form is shown beside it, and theirs is not undone', withTownship(async (township) => {
  const secretary = await township.open('secretary');
  const deputy = await township.open('deputy');
  const openMeeting = async (page) => {
    await go(page, '/list/Meeting');
    await page.getByRole('link', {name: /主题党日：修水渠/}).click();
    await page.getByRole('link', {name: '修改'}).click();
    await page.getByLabel('地点').waitFor();
  };
  await openMeeting(secretary);
  await secretary.getByLabel('主题').first().fill('主题党日：修水渠和清淤');
  await openMeeting(deputy);
  await deputy.getByLabel('地点').fill('大坝');
  await deputy.getByRole('button', {name: '保存'}).click();
  await secretary.locator('[data-test="meanwhile"]').waitFor({timeout: 30_000});
  assert.match(await textOf(secretary, '[data-test="meanwhile"]'), /地点，现在是：大坝/);
  await picture(secretary, 'meanwhile');
  assert.equal(await secretary.getByLabel('地点').inputValue(), '水渠边', 'what is typed is not overwritten');
  await secretary.getByRole('button', {name: /知道了/}).click();
  assert.equal(await secretary.getByLabel('地点').inputValue(), '大坝');
  assert.equal(await secretary.getByLabel('主题').first().inputValue(), '主题党日：修水渠和清淤');
  await secretary.getByRole('button', {name: '保存'}).click();
  await until('both are there', async () => {
    await go(deputy, '/list/Meeting');
    return deputy.getByText('主题党日：修水渠和清淤').first().isVisible();
  }, 30_000);
}));
