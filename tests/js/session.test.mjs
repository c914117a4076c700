// Sessions that stay, between two phones and a real server that comes and goes.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {api, enrol, live, openStream, Reason, Session, ZhibuError} from '../../client-core/js/dist/index.js';
import {Folder, Township} from './township.mjs';

const {WAIT, IDLE, STOP, DONE} = api.Advice_What;

let township;
let folder;
before(async () => {
  township = await Township.start();
  folder = new Folder();
});
after(async () => {
  folder.remove();
  await township.end();
});

async function phone(name) {
  const store = await folder.open(name);
  await enrol(store, township.said.codes[name], name);
  assert.equal((await Session.once(store, {app: 'test'})).what, DONE);
  return store;
}

async function record(store, topic) {
  const {rows} = await store.list({type: 'Organisation', where: [{field: 'name', equals: '云溪镇青石村党支部'}]});
  const branchId = Buffer.from(rows[0].id).toString('base64');
  const seen = await store.new('Meeting');
  await store.commit({items: [{seen, to: {case: 'json', value: JSON.stringify({branchId, topic})}}]});
}

// Until the list has a meeting of that topic.
async function heard(watch, topic) {
  for (;;) {
    const {value} = await watch.next();
    if (value.inserted.some(({row}) => JSON.parse(row.json).topic === topic)) return;
  }
}

async function advised(session, what) {
  while (session.advice.what !== what) await new Promise((done) => { setTimeout(done, 5); });
}

test('What one records the other sees at once, also after the server was away, and both know that they were in step', async () => {
  const secretary = await phone('secretary');
  const deputy = await phone('deputy');
  const sessions = await Promise.all([secretary, deputy].map((store) => Session.open(store, {app: 'test'})));
  const running = sessions.map((session) => session.run());
  const watch = deputy.watch({type: 'Meeting', json: true});

  await record(secretary, '七月党员大会');
  await heard(watch, '七月党员大会');

  await township.do({server: 'kill'});
  await Promise.all(sessions.map((session) => advised(session, WAIT)));
  assert.equal(sessions[0].advice.why.reason, Reason.OFFLINE);
  await record(secretary, '断网之后');
  await township.do({server: 'start'});
  await Promise.all(sessions.map((session) => session.hurry()));
  await heard(watch, '断网之后');

  await advised(sessions[0], IDLE);
  assert.ok((await secretary.state()).lastSuccessMs > 0n);
  for (const session of sessions) await session.close();
  for (const advice of await Promise.all(running)) assert.notEqual(advice.what, STOP, 'one that stays never stops by itself');
  await Promise.all([secretary.close(), deputy.close()]);
  assert.equal(live(), 0n);
});

test('A session that is closed while it connects, and a store that is closed under one, leave nothing behind', async () => {
  const store = await phone('migrant');
  const session = await Session.open(store, {app: 'test'});
  const running = session.run();
  await session.close();
  await session.close();
  await running;
  const other = await Session.open(store, {app: 'test'});
  const ended = other.run();
  await advised(other, IDLE);
  await store.close();
  assert.notEqual((await ended).what, STOP, 'it was closed, and is told what was advised last');
  assert.equal(live(), 0n);
});

test('A server with another certificate is not spoken to, at enrolment or later', async () => {
  const impostor = await Township.start();
  const store = await folder.open('member');
  const [, , fingerprint, code] = township.said.codes.member.split('/');
  await assert.rejects(enrol(store, ['zhibu1', impostor.said.address, fingerprint, code].join('/'), 'member'),
    (error) => error instanceof ZhibuError && error.reason === Reason.OTHER_SERVER);
  await enrol(store, township.said.codes.member, 'member');  // the code is not used up
  let frames = 0;
  const advice = await Session.once(store, {app: 'test'}, (_, wanted, ring) => {
    const stream = openStream(impostor.said.address, wanted, ring);
    const {send} = stream;
    return Object.defineProperty(stream, 'send', {value: (frame) => { frames += 1; return send(frame); }});
  });
  assert.equal(advice.what, STOP);
  assert.equal(advice.why.reason, Reason.OTHER_SERVER);
  assert.equal(frames, 0);
  await store.close();
  await impostor.end();
  assert.equal(live(), 0n);
});
