// What goes wrong with a phone itself: its clock, its loss, its process.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {picture, seen, textOf, until, withTownship} from './stage.mjs';

test('A clock that is off is said in words, and days are counted by the server\'s', withTownship(async (township) => {
  const page = await township.browser();
  page.address = await township.startScreen('migrant');
  await page.addInitScript(() => {
    const real = Date.now;
    Date.now = () => real() + 12 * 60_000;
  });
  await page.goto(page.address);
  await seen(page, '本机时钟快 12 分钟');
  // The township was made minutes ago; by this page's clock it would be twelve more.
  assert.match(await textOf(page, '[data-test="sync"]'), /上次同步 (刚刚|[1-9] 分钟前)/);
  await seen(page, '还有 12 天');
}));

test('A phone that was lost and comes back says so and shows nothing any longer', withTownship(async (township) => {
  const {device} = township.device('member', 'status');
  const page = await township.open('member');
  await seen(page, '主题党日：修水渠');
  township.admin('revoke', '--device', String(device), '--wipe');
  await page.locator('.trouble').waitFor({timeout: 30_000});
  const said = await page.locator('.trouble').innerText();
  assert.match(said, /挂失|清除/);
  await until('nothing is shown', async () => !(await page.getByText('主题党日：修水渠').first().isVisible()));
  await picture(page, 'lost');
}));

test('A process that has ended is told apart from a network that is away', withTownship(async (township) => {
  const page = await township.open('member');
  await township.killScreen('member');
  await page.locator('.trouble').waitFor({timeout: 30_000});
  assert.match(await page.locator('.trouble').innerText(), /设备程序没有应答/);
}));
