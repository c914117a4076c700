// What is JavaScript's own: handles, promises, iterators, what is collected, what ends with the process.
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {afterEach, beforeEach, test} from 'node:test';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';
import {native} from '../../client-core/js/dist/native.js';
import {live, Reason, Session, ZhibuError} from '../../client-core/js/dist/index.js';
import {Folder} from './township.mjs';

const branchId = 'AAAAAAAAAAAAAAAAAAAAAQ==';
const package_ = new URL('../../client-core/js/dist/index.js', import.meta.url);

let folder;
beforeEach(() => { folder = new Folder(); });
afterEach(() => {
  folder.remove();
  assert.equal(live(), 0n, 'whatever a test has opened it has closed');
});

async function record(store, topic = '七月党员大会') {
  const seen = await store.new('Meeting');
  const {ids} = await store.commit({items: [{seen, to: {case: 'json', value: JSON.stringify({branchId, topic})}}]});
  return ids[0];
}

const refused = (call, what) => assert.rejects(call, (error) => {
  assert.ok(error instanceof ZhibuError, String(error));
  assert.ok(error.wordsZh && error.wordsEn);
  for (const [name, value] of Object.entries(what)) assert.equal(error[name], value);
  return true;
});

test('A handle that is closed is an error in words, whatever has been opened since', async () => {
  const store = await folder.open('a');
  const watch = await native.zhibu_watch_open(store.handle, Buffer.from('\x0a\x07Meeting'));
  await store.close();
  const other = await folder.open('b');
  await refused(store.state(), {code: 3});
  await refused(store.close(), {code: 3});
  await refused(store.list({type: 'Meeting'}), {code: 3});
  await refused(Session.open(store, {}), {code: 3});
  await refused(store.events().next(), {code: 3});
  store.follow(() => assert.fail('of a closed store'));
  await assert.rejects(native.zhibu_watch_next(watch), Uint8Array);
  await other.close();
});

test('What is no handle and no bytes is a TypeError, and a name that is no question too', async () => {
  const store = await folder.open();
  for (const given of [[], [1, Buffer.alloc(0)], [-1n, Buffer.alloc(0)], [1n << 64n, Buffer.alloc(0)], [store.handle], [store.handle, 'text'],
    [store.handle, new Uint16Array(2)], [null, null]]) {
    assert.throws(() => native.zhibu_get(...given), TypeError, String(given));
  }
  assert.throws(() => native.zhibu_events_open(store.handle, 'no function'), TypeError);
  for (const name of ['zhibu_close', 'toString', '']) await assert.rejects(store.call(name, Buffer.alloc(0)), TypeError);
  await refused(store.get({type: 'Meeting', id: Buffer.alloc(16, 1)}), {code: 5, reason: Reason.NOT_HERE});
  await store.close();
});

test('What was handed in may be written on while the call is under way', async () => {
  const store = await folder.open();
  const type = Buffer.from('Meeting');
  const call = store.call('zhibu_new', type);
  type.fill(0);
  assert.ok((await call).length > 0);
  await store.close();
});

test('A thousand calls at once are all answered', async () => {
  const store = await folder.open();
  const ids = await Promise.all(Array.from({length: 250}, (_, i) => record(store, `第 ${i} 次`)));
  const asked = Array.from({length: 1000}, (_, i) => (i % 2 ? store.list({type: 'Meeting', limit: 1}) : store.get({type: 'Meeting', id: ids[i % 250]})));
  const answers = await Promise.all(asked);
  assert.equal(answers.length, 1000);
  assert.equal(new Set(ids.map((id) => Buffer.from(id).toString('hex'))).size, 250);
  assert.equal((await store.state()).unsent, 250n);
  await store.close();
});

test('A store that is closed with calls under way answers each of them, one way or the other', async () => {
  const store = await folder.open();
  const answers = Promise.allSettled(Array.from({length: 100}, () => store.state()));
  await store.close();
  for (const {status, reason} of await answers) {
    assert.ok(status === 'fulfilled' || reason instanceof ZhibuError);
  }
});

test('A watched list tells what has become otherwise, sleeps with its store, and ends when that is closed', async () => {
  const store = await folder.open();
  await record(store);
  const watch = store.watch({type: 'Meeting', json: true});
  assert.equal((await watch.next()).value.inserted.length, 1);
  const second = watch.next();
  await record(store, '八月党员大会');
  assert.equal((await second).value.inserted.length, 1);
  const third = watch.next();
  await store.suspend();
  await refused(store.state(), {reason: Reason.SUSPENDED});
  await store.resume();
  await record(store, '九月党员大会');
  assert.equal((await third).value.selected, 3);
  const last = watch.next();
  await store.close();
  assert.deepEqual(await last, {done: true, value: undefined});
  assert.deepEqual(await watch.next(), {done: true, value: undefined});
});

test('Events are told until the loop is left, and none after', async () => {
  const store = await folder.open();
  const seen = [];
  const events = store.events();
  const first = events.next();
  const id = await record(store);
  for (const event of [(await first).value]) seen.push(...event.changed);
  assert.deepEqual(seen.map((ref) => Buffer.from(ref.id)), [Buffer.from(id)]);
  const waiting = events.next();
  await events.return();
  assert.equal((await waiting).done, true);
  await record(store);
  assert.equal((await events.next()).done, true);
  await store.close();
});

test('A list that cannot be watched says why, once, and a loop that is left by an error leaves nothing open', async () => {
  const store = await folder.open();
  const watch = store.watch({type: 'Nothing'});
  await refused(watch.next(), {reason: Reason.UNKNOWN_TYPE});
  assert.equal((await watch.next()).done, true);
  await record(store);
  await assert.rejects(async () => {
    for await (const difference of store.watch({type: 'Meeting'})) throw new RangeError(difference.selected);
  }, RangeError);
  assert.equal(live(), 1n);
  await store.close();
});

test('Whoever follows a store is told of each commit, and of nothing once it is closed', async () => {
  const store = await folder.open();
  let told = 0;
  let heard;
  const once = new Promise((done) => { heard = done; });
  store.follow(() => { told += 1; heard(); });
  for (let i = 0; told === 0; ++i) {
    await record(store, `第 ${i} 次`);
    await Promise.race([once, new Promise(setImmediate)]);
  }
  await record(store);
  await store.close();
  const before = told;
  await new Promise((done) => { setTimeout(done, 20); });
  assert.equal(told, before);
});

test('Fifty who listen and leave while somebody writes leave nothing behind', async () => {
  const store = await folder.open();
  let over = false;
  const writing = (async () => { while (!over) await record(store); })();
  for (let i = 0; i < 50; ++i) {
    const events = store.events();
    const waiting = events.next();
    if (i % 2) await waiting;
    await events.return();
  }
  over = true;
  await writing;
  assert.equal(live(), 1n);
  await store.close();
});

test('A store that is forgotten is closed when it is collected', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  await (async () => { await (await folder.open()).state(); })();
  while (live() > 0n) {
    collect();
    await new Promise(setImmediate);
  }
});

test('A process that ends with everything open ends well', () => {
  const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', `
    import {Store, Session} from '${package_}';
    const store = await Store.open('${folder.path}/a.db', Buffer.alloc(32, 7));
    store.follow(() => undefined);
    await Session.open(store, {});
    for (let i = 0; i < 20; ++i) void store.state();
    setTimeout(() => process.exit(0), 50);
  `]);
  assert.equal(ended.status, 0, `${ended.signal} ${ended.stderr}`);
});

test('So does a worker, and its process goes on', async () => {
  const ended = spawnSync(process.execPath, ['--input-type=module', '--eval', `
    import {Worker} from 'node:worker_threads';
    const worker = new Worker(\`
      import {parentPort} from 'node:worker_threads';
      import {Store} from '${package_}';
      const store = await Store.open('${folder.path}/a.db', Buffer.alloc(32, 7));
      store.follow(() => undefined);
      for (const busy of [1, 2, 3]) await store.new('Meeting');
      parentPort.postMessage('open');
      setInterval(() => store.state(), 1);\`, {eval: true});
    await new Promise((done) => worker.once('message', done));
    await worker.terminate();
    const {Store} = await import('${package_}');
    await (await Store.open('${folder.path}/b.db', Buffer.alloc(32, 7))).close();
  `]);
  assert.equal(ended.status, 0, `${ended.signal} ${ended.stderr}`);
});
