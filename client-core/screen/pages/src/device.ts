// What every page knows of the device: how far it is in step, whose it is, and that something has
// happened. Nothing of it is kept in the browser.
import {computed, reactive, ref, shallowRef, watch, onUnmounted, type Ref} from 'vue';
import {Office} from './messages/zhibu/schema/v1/options_pb';
import type {Events, Identity, Offices, State, Tongue} from './messages/zhibu/api/v1/api_pb';
import * as core from './core/ask';
import {Gone, Locked, Refused, type Core} from './core/core';
import {idText} from './core/ids';
import {say, tongue, wordsOf} from './words';

export const state = shallowRef<State>();
export const identity = shallowRef<Identity>();
export const offices = shallowRef<Offices>();
// Whose device it is, and what day, is known, or why not.
export const ready = ref(false);
export const today = computed(() => state.value?.today ?? '');
// Shown over everything: why nothing can be asked.
export const trouble = ref('');
// Nobody was there: what is on the screen is hidden.
export const locked = ref(false);
// Shown for a while: what became of what somebody did.
export const notice = reactive({text: '', bad: false});
export const textSize = ref(1);

// Grows when records have changed: what is shown is asked for again.
export const changes = ref(0);

// How far the browser's clock is from the server's, as this device knows it.
let aheadMs = 0;
export const nowMs = (): number => Date.now() - aheadMs;
export const clockOffMinutes = ref(0);

let lastNotice = 0;
export function tellUser(text: string, bad = false): void {
  notice.text = text;
  notice.bad = bad;
  const number = ++lastNotice;
  if (!bad) setTimeout(() => { if (number === lastNotice) notice.text = ''; }, 6000);
}

export function explain(error: unknown): string {
  if (error instanceof Refused) return wordsOf(error.why);
  if (error instanceof Locked) {
    return say('页面已锁定。没有保存的内容都在本机；请在打开它的窗口里找到新的地址。',
      'The pages are locked. What was not saved is kept on this device; the window that shows them has a new address.');
  }
  if (error instanceof Gone) {
    return say('设备程序没有应答。已保存的和没写完的都在本机；请重新打开程序。',
      'The program of this device does not answer. What was saved, and what was begun, is on this device; start it again.');
  }
  return say('页面出错，没有任何改动：', 'The page has made a mistake; nothing was changed: ') + String(error);
}

// Does something; where it fails, says why. False: it has failed.
let gone = false;
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    if (gone) trouble.value = '';
    gone = false;
    return true;
  } catch (error) {
    gone = error instanceof Gone;
    locked.value = locked.value || error instanceof Locked;
    if (gone || error instanceof Locked) trouble.value = explain(error);
    else tellUser(explain(error), true);
    return false;
  }
}

async function readState(): Promise<void> {
  const now = await core.state();
  if (now.serverNowMs !== 0n) {
    aheadMs = Date.now() - Number(now.serverNowMs);
    clockOffMinutes.value = Math.round(aheadMs / 60_000);
  }
  state.value = now;
}

// Of what this device is and for whom. Not enrolled: there is nobody yet.
async function readOwner(): Promise<void> {
  try {
    identity.value = await core.identity();
    offices.value = await core.offices();
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    identity.value = undefined;
    offices.value = undefined;
    trouble.value = wordsOf(error.why);
  }
}

const ofOwner = new Set(['Grant', 'Placement', 'Member', 'Organisation']);

async function happened(events: Events): Promise<void> {
  if (events.state) await readState();
  if (events.all || events.changed.some((one) => ofOwner.has(one.type))) await readOwner();
  if (events.all || events.changed.length > 0) changes.value += 1;
}

// A page that is asked for again while it is being asked for is asked for once more.
export async function begin(opened: Core): Promise<void> {
  opened.follow((events) => void attempt(() => happened(events)));
  setInterval(() => void attempt(readState), 30_000);
  await attempt(async () => {
    const [kept] = await Promise.all([core.preferences(), readState(), readOwner()]);
    if (kept.tongue !== 0) tongue.value = kept.tongue;
    if (kept.textSize !== 0) textSize.value = kept.textSize;
  });
  ready.value = true;
}

// One after the other, and shown once they are kept.
let keeping: Promise<unknown> = Promise.resolve();
export function prefer(chosen: {tongue?: Tongue; textSize?: number}): void {
  keeping = keeping.then(async () => {
    const all = {tongue: tongue.value, textSize: textSize.value, ...chosen};
    if (!(await attempt(() => core.keepPreferences(all)))) return;
    tongue.value = all.tongue;
    textSize.value = all.textSize;
  });
}

// What `read` gives, again whenever records have changed.
export function follow<T>(read: () => Promise<T>): {value: Ref<T | undefined>; again: () => Promise<void>} {
  const value = shallowRef<T>();
  let running = false;
  let wanted = false;
  let over = false;
  const again = async (): Promise<void> => {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted && !over) {
      wanted = false;
      await attempt(async () => { value.value = await read(); });
    }
    running = false;
  };
  watch([changes, tongue, offices, today], again);
  onUnmounted(() => { over = true; });
  void again();
  return {value, again};
}

export const personId = (): string => (offices.value ? idText(offices.value.personId) : '');

// Who acts for a branch, and not only as its member.
export const leads = (): boolean =>
  offices.value?.held.some((one) => one.office !== Office.MEMBER) ?? false;
export const decides = (): boolean =>
  offices.value?.held.some((one) => one.office === Office.SECRETARY || one.office === Office.DEPUTY) ?? false;
// The organisation that somebody mostly writes for.
export function ownOrganisation(): string {
  const all = offices.value?.held ?? [];
  const first = all.find((one) => one.office !== Office.MEMBER) ?? all[0];
  return first ? idText(first.organisationId) : '';
}

export const officeLabel = (office: Office): string => ({
  [Office.SECRETARY]: say('书记', 'secretary'),
  [Office.DEPUTY]: say('副书记', 'deputy'),
  [Office.COMMITTEE]: say('委员', 'committee member'),
  [Office.GROUP_LEADER]: say('党小组长', 'group leader'),
  [Office.MEMBER]: say('党员', 'member'),
} as Record<number, string>)[office] ?? '';
