// A form that is open: what was read, what is written, kept sealed at every change and found again
// whatever becomes of the page or the process. Nothing of it is in the browser's own stores.
import * as core from './core/ask';
import {attempt} from './device';

export type Value = string | number | boolean | Value[] | {[name: string]: Value} | undefined;
export type Values = Record<string, Value>;

export interface Draft {
  type: string;
  id: Uint8Array;      // empty: a new record
  seen: Uint8Array;
  base: Values;        // as it was read
  values: Values;      // as it is to be
  place: bigint;       // of the sketch; 0: there is none
}

// Without what says nothing: as protobuf's JSON form leaves it out.
export function cleaned(value: Value): Value {
  if (Array.isArray(value)) {
    const all = value.map(cleaned).filter((one) => one !== undefined && one !== '');
    return all.length > 0 ? all : undefined;
  }
  if (typeof value === 'object') {
    const all = Object.entries(value).map(([name, one]) => [name, cleaned(one)] as const).filter(([, one]) => one !== undefined);
    return Object.fromEntries(all);
  }
  return value === '' || value === false ? undefined : value;
}
export const same = (a: Value, b: Value): boolean => JSON.stringify(sorted(cleaned(a))) === JSON.stringify(sorted(cleaned(b)));

function sorted(value: Value): Value {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, one]) => [name, sorted(one)]));
}

export const itemOf = (draft: Draft) =>
  ({seen: draft.seen, to: {case: 'json' as const, value: JSON.stringify(cleaned(draft.values))}});

// One after the other, and of many changes only the last.
export class Keeper {
  private running: Promise<void> | undefined;
  private wanted = false;
  private over = false;

  constructor(private readonly draft: Draft) {}

  keep(): void {
    if (this.over) return;
    this.wanted = true;
    this.running ??= this.run();
  }

  // What was begun is let go of, or has been saved.
  async drop(): Promise<void> {
    this.over = true;
    this.wanted = false;
    await this.running;
    if (this.draft.place !== 0n) await attempt(() => core.dropSketch(this.draft.place));
  }

  private async run(): Promise<void> {
    while (this.wanted) {
      this.wanted = false;
      const {type, id, seen, base, values, place} = this.draft;
      await attempt(async () => {
        const kept = await core.keepSketch({place, type, id, seen, json: JSON.stringify({base, values})});
        this.draft.place = kept.place;
      });
    }
    this.running = undefined;
  }
}

async function ofRecord(type: string, id: Uint8Array): Promise<Draft> {
  const row = await core.get({type, id, json: true});
  const base = JSON.parse(row.json) as Values;
  return {type, id, seen: row.seen, base, values: structuredClone(base), place: 0n};
}

async function ofSketch(place: bigint): Promise<Draft | undefined> {
  const sketch = (await core.sketches()).sketches.find((one) => one.place === place);
  if (!sketch) return undefined;
  const {base, values} = JSON.parse(sketch.json || '{"base":{},"values":{}}') as {base: Values; values: Values};
  return {type: sketch.type, id: sketch.id, seen: sketch.seen, base, values, place};
}

async function ofSetAside(place: bigint): Promise<Draft | undefined> {
  const row = (await core.amend(place)).rows[0];
  if (!row) return undefined;
  const json = await core.get({type: row.type, id: row.id, json: true}).catch(() => undefined);
  const values = JSON.parse(row.json) as Values;
  return {type: row.type, id: row.id, seen: row.seen, base: json ? JSON.parse(json.json) as Values : {}, values, place: 0n};
}

export interface Wanted { type?: string; id?: Uint8Array; place?: string; amends?: string }

// Undefined: there is nothing such any longer.
export async function openDraft(wanted: Wanted, fill: () => Values): Promise<Draft | undefined> {
  if (wanted.place) return ofSketch(BigInt(wanted.place));
  if (wanted.amends) return ofSetAside(BigInt(wanted.amends));
  const type = wanted.type ?? '';
  if (wanted.id) return ofRecord(type, wanted.id);
  return {type, id: new Uint8Array(), seen: await core.fresh(type), base: {}, values: fill(), place: 0n};
}
