// What every language does with the core, against a real server.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {after, before, test} from 'node:test';
import {live} from '../../client-core/js/dist/index.js';
import {Runner} from './runner.mjs';
import {Township} from './township.mjs';

const script = JSON.parse(readFileSync(new URL('../conformance/script.json', import.meta.url)));

let township;
before(async () => { township = await Township.start(); });
after(() => township.end());

test('The script of conformance', async () => {
  const runner = new Runner(township);
  try {
    await runner.run(script);
  } finally {
    await runner.close();
  }
  assert.equal(live(), 0n);
});
