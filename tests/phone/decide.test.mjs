// What wants a decision: a conflict settled on screen by two browsers, what came back, what is held,
// a host that is asked.
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {go, overflow, picture, seen, textOf, until, withTownship} from './stage.mjs';

test('Two browsers are in conflict, and it is settled on the screen of one, then of the other', withTownship(async (township) => {
  const secretary = await township.open('secretary');
  const deputy = await township.open('deputy');
  for (const page of [secretary, deputy]) await until('in step', async () => /没有未发送的/.test(await textOf(page, '[data-test="sync"]')));
  // Both offline, both write the place of the meeting to come.
  await township.stopServer();
  const write = async (page, place) => {
    await go(page, '/list/Meeting');
    await page.getByRole('link', {name: /党课：农村基层治理/}).click();
    await page.getByRole('link', {name: '修改'}).click();
    await page.getByLabel('地点').fill(place);
    await page.getByRole('button', {name: '保存'}).click();
    await seen(page, '已保存在本机，未送达');
  };
  await write(secretary, '文化礼堂');
  await write(deputy, '青石小学');
  await township.startServer();
  for (const page of [secretary, deputy]) {
    await go(page, '/');
    await page.locator('[data-test="sync"]').click();
  }
  await go(secretary, '/decide/conflicts');
  const one = secretary.locator('[data-test="conflict"]', {hasText: '党课'});
  await one.waitFor({timeout: 40_000});
  const said = await one.innerText();
  for (const word of ['文化礼堂', '青石小学', '甲青石', '乙青石', '地点']) assert.ok(said.includes(word), `${word} in ${said}`);
  assert.equal(await overflow(secretary), 0);
  await picture(secretary, 'conflict', {fullPage: true});
  // The one that does not stand is chosen.
  await one.getByRole('button', {name: '用这个'}).nth(1).click();
  await one.waitFor({state: 'detached'});
  const chosen = said.indexOf('文化礼堂') < said.indexOf('青石小学') ? '青石小学' : '文化礼堂';
  await go(deputy, '/list/Meeting');
  await deputy.getByRole('link', {name: /党课：农村基层治理/}).click();
  await seen(deputy, chosen);
  await go(deputy, '/decide/conflicts');
  await until('it is settled there, too', async () => !(await deputy.getByText('党课').first().isVisible()), 30_000);
}));

test('What came back says why, is amended and sent again, or let go of', withTownship(async (township) => {
  const page = await township.open('deputy');
  await go(page, '/decide/aside');
  const one = page.locator('[data-test="aside"]');
  await one.waitFor();
  assert.match(await one.innerText(), /没有在该组织记录此项内容的权限/);
  await picture(page, 'aside', {fullPage: true});
  await township.stopServer();
  await one.getByRole('button', {name: '改了再交'}).click();
  await page.getByLabel('转接原因').fill('随子女到滨海');
  await page.getByRole('button', {name: '保存'}).click();
  await seen(page, '随子女到滨海');
  await go(page, '/decide/aside');
  await seen(page, '都被采纳');
  await township.startServer();
  await page.evaluate(() => { location.hash = '#/sync'; });
  await page.locator('[data-test="sync"]').click();
  await go(page, '/decide/aside');
  await until('it comes back again', async () => (await page.locator('[data-test="aside"]').count()) === 1, 30_000);
  await page.getByRole('button', {name: '丢弃'}).click();
  await page.getByRole('button', {name: /确定丢弃/}).click();
  await seen(page, '都被采纳');
}));

test('What is held is taken by the secretary, and is in', withTownship(async (township) => {
  const page = await township.open('secretary');
  await go(page, '/decide/held');
  const one = page.locator('[data-test="held"]');
  await one.waitFor();
  assert.match(await one.innerText(), /卸任前的小组会/);
  await one.getByRole('button', {name: '采纳'}).click();
  await go(page, '/list/Meeting');
  await page.getByText('卸任前的小组会').first().waitFor({timeout: 30_000});
}));

test('A host accepts who is announced, and verifies a pass', withTownship(async (township) => {
  const host = await township.open('host');
  await go(host, '/stays');
  const stay = host.locator('[data-test="stay"]', {hasText: '青石党员04'});
  await stay.waitFor();
  await picture(host, 'host', {fullPage: true});
  await stay.getByRole('button', {name: '接收', exact: true}).click();
  await host.getByLabel('流入地联系人和电话').fill('陈书记 000-0000-2000');
  await host.getByRole('button', {name: /确定/}).click();
  const member = await township.open('member');
  await until('the member is told', async () => /已接收/.test(await textOf(member, '[data-test="stay"]')), 30_000);

  const migrant = await township.open('migrant');
  await migrant.getByRole('link', {name: '出示活动证'}).click();
  await migrant.locator('svg.qr').waitFor();
  const code = await migrant.locator('svg.qr').getAttribute('data-text');
  await township.stopServer();
  const verify = async (text) => {
    await go(host, '/');
    await go(host, '/verify');
    await host.getByLabel('或粘贴码的文字').fill(text);
    await host.getByRole('button', {name: '确定'}).click();
  };
  await verify(code);
  await seen(host, '有效');
  await seen(host, '丙滨海');
  await picture(host, 'verified');
  // Another's number in it, and it is no longer genuine.
  const bytes = Buffer.from(code.slice(4), 'base64url');
  bytes[bytes.length - 1] ^= 1;
  await verify(`ZP1:${bytes.toString('base64url')}`);
  await seen(host, '不是真的');
}));
