// The devices of a script of conformance, and what it has them do.
import assert from 'node:assert/strict';
import {native} from '../../client-core/js/dist/native.js';
import {told} from '../../client-core/js/dist/error.js';
import {api, enrol, fromJson, Reason, Session, toJson, ZhibuError} from '../../client-core/js/dist/index.js';
import {at, chance, filled, has, withRecords, withText} from './script.mjs';
import {interrupted} from './interrupted.mjs';
import {Folder} from './township.mjs';

const nameOf = (message) => (message.includes('.') ? message : `zhibu.api.v1.${message}`);

function bytesOf(given) {
  const [[kind, value]] = Object.entries(given);
  if (kind === 'text') return Buffer.from(value);
  if (kind === 'bytes') return Buffer.from(value, 'base64');
  return fromJson(nameOf(kind), JSON.stringify(withText(value)));
}

async function found(kind, bytes) {
  if (kind === 'text') return bytes.toString();
  if (kind === 'bytes') return bytes.toString('base64');
  return withRecords(JSON.parse(await toJson(nameOf(kind), bytes)));
}

const whyOf = (error) => ({code: error.code, reason: Reason[error.reason]});

export class Runner {
  folder = new Folder();
  stores = new Map();
  handles = new Map();
  next = chance(1);

  constructor(township) {
    this.township = township;
    this.kept = {...township.said};
  }

  async run(steps) {
    for (const step of steps) {
      if (step.say) this.saying = step.say;
      try {
        await this.take(step);
      } catch (error) {
        if (step.repeat || error.step) throw error;
        throw Object.assign(new Error(`${this.saying}\n${JSON.stringify(step)}`, {cause: error}), {step});
      }
    }
  }

  async store(device) {
    if (!this.stores.has(device)) this.stores.set(device, await this.folder.open(device));
    return this.stores.get(device);
  }

  async take(step) {
    if (step.say) return;
    if (step.repeat) return this.repeat(step);
    const done = await this.refusedOr(step, () => this.doing(step));
    if (step.expect) has(done, filled(step.expect, this.kept), 'found');
    for (const [name, path] of Object.entries(step.keep ?? {})) this.kept[name] = at(done, path);
  }

  async refusedOr(step, act) {
    if (!step.refused) return act();
    const error = await act().then(() => undefined, (refused) => refused);
    assert.ok(error instanceof ZhibuError, `it was not refused: ${error}`);
    assert.ok(error.wordsZh && error.wordsEn);
    return has(whyOf(error), step.refused, 'refused');
  }

  doing(step) {
    if (step.call) return this.call(step);
    if (step.enrol) return this.store(step.device).then((store) => enrol(store, filled(step.enrol, this.kept), step.device));
    if (step.sync) return this.sync(step);
    if (step.cut) return this.cut(step);
    const {keep, expect, ...command} = step;
    return this.township.do(filled(command, this.kept));
  }

  async call(step) {
    const handle = step.on ? this.handles.get(step.on) : (await this.store(step.device)).handle;
    const given = await Promise.all(filled(step.with ?? [], this.kept).map(bytesOf));
    const answer = await told(native[step.call](handle, ...given));
    if (step.opens) this.handles.set(step.opens, answer);
    return step.gives && found(step.gives, answer);
  }

  async session(step, limits) {
    const store = await this.store(step.device);
    const line = interrupted(limits);
    const session = await Session.open(store, {app: 'conformance', once: true}, line.open);
    try {
      const running = session.run();
      if (limits.pauseAfter !== undefined) await this.sleep(store, session, line, step.meanwhile);
      return {advice: await running, line};
    } finally {
      await session.close();
    }
  }

  async sync(step) {
    const {advice, line} = await this.session(step, {pauseAfter: step.suspend_after});
    assert.equal(api.Advice_What[advice.what], step.sync, advice.why?.wordsEn);
    if (step.why) has(whyOf(advice.why), step.why, 'why');
    if (step.connects !== undefined) assert.equal(line.connects, step.connects, 'connects');
  }

  async sleep(store, session, line, meanwhile) {
    await line.paused;
    await store.suspend();
    line.goOn();
    while (session.advice.what !== api.Advice_What.WAIT) await new Promise(setImmediate);
    assert.equal(session.advice.why.reason, Reason.SUSPENDED);
    await this.run(meanwhile);
    await store.resume();
    await session.hurry();
  }

  async cut(step) {
    const {advice, line} = await this.session(step, {cutAfter: this.next() % step.cut});
    // Where frames came together it may have needed no more of them.
    assert.equal(advice.what, line.cut ? api.Advice_What.STOP : api.Advice_What.DONE);
  }

  async repeat({repeat, seed, steps}) {
    this.next = chance(seed);
    for (this.kept.round = 1; this.kept.round <= repeat; ++this.kept.round) await this.run(steps);
  }

  async close() {
    for (const store of this.stores.values()) await store.close();
    this.folder.remove();
  }
}
