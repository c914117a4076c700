// The check-in, scanned by a camera from the other screen's own code, with no network on either.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {test} from 'node:test';
import {go, picture, seen, textOf, until, withTownship} from './stage.mjs';

// What a camera sees that is held before that element of a page.
async function film(page, selector, file) {
  const still = `${file}.png`;
  await page.locator(selector).screenshot({path: still});
  execFileSync('ffmpeg', ['-loglevel', 'error', '-y', '-loop', '1', '-i', still, '-t', '1', '-r', '10', '-vf',
    'scale=640:480:force_original_aspect_ratio=decrease,pad=640:480:(ow-iw)/2:(oh-ih)/2:white', '-pix_fmt', 'yuv420p', file]);
}

test('A member scans the code of the secretary\'s screen; both are offline; it is verified once it has arrived', withTownship(async (township) => {
  const secretary = await township.open('secretary');
  await township.stopServer();
  await secretary.getByRole('link', {name: '开始签到'}).click();
  await secretary.locator('svg.qr').waitFor();
  assert.match(await textOf(secretary, '[data-test="count"]'), /^0\/\d+$/);
  await picture(secretary, 'check-in');
  const video = join(township.folder, 'qr.y4m');
  await film(secretary, 'svg.qr', video);
  const shown = await secretary.locator('svg.qr').getAttribute('data-text');
  assert.match(shown, /^ZB1:/);

  const member = await township.open('member', {video});
  await member.getByRole('link', {name: '扫码签到'}).click();
  await member.locator('[data-test="scanned"]').waitFor();
  await seen(member, '签到已保存在本机');
  assert.match(await textOf(member, '[data-test="standing"]'), /已保存在本机，未送达/);
  await picture(member, 'scanned');

  // It turns by itself.
  await until('another code', async () => (await secretary.locator('svg.qr').getAttribute('data-text')) !== shown, 40_000);

  await township.startServer();
  await go(member, '/');
  await member.locator('[data-test="sync"]').click();
  await until('it is verified', async () => /已送达，已核验/.test(await textOf(member, '[data-test="last-check-in"]')), 40_000);
  // And the count rises where the code is shown.
  await go(secretary, '/sync');
  await secretary.locator('[data-test="sync"]').click();
  await secretary.goBack();
  await until('the count rises', async () => /^1\//.test(await textOf(secretary, '[data-test="count"]')), 40_000);
  assert.deepEqual([...secretary.faults, ...member.faults], []);
}));

test('A code that is none is refused in words; the text of one may be pasted; the roll-call is beside it', withTownship(async (township) => {
  const secretary = await township.open('secretary');
  await secretary.getByRole('link', {name: '开始签到'}).click();
  await secretary.locator('svg.qr').waitFor();
  const member = await township.open('member');
  await member.getByRole('link', {name: '扫码签到'}).click();
  await seen(member, '粘贴');
  await member.getByLabel('或粘贴码的文字').fill('ZB1:nothing');
  await member.getByRole('button', {name: '确定'}).click();
  await member.locator('.notice.bad').waitFor();
  await member.getByLabel('或粘贴码的文字').fill(await secretary.locator('svg.qr').getAttribute('data-text'));
  await member.getByRole('button', {name: '确定'}).click();
  await member.locator('[data-test="scanned"]').waitFor();
  await until('the count rises by itself', async () => /^1\//.test(await textOf(secretary, '[data-test="count"]')), 30_000);
  await secretary.getByLabel('按姓名找').fill('青石党员09');
  await secretary.getByRole('button', {name: '到会 青石党员09'}).click();
  await until('roll-call', async () => /^2\//.test(await textOf(secretary, '[data-test="count"]')));
}));
