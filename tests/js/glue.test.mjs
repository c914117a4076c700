// The package has every function of the header, and the page about it says what it does.
import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import {abiVersion, fromJson, live, Store, toJson} from '../../client-core/js/dist/index.js';
import {asked} from '../../client-core/js/dist/made/calls.js';
import {native} from '../../client-core/js/dist/native.js';
import {Folder} from './township.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file) => readFileSync(join(root, file), 'utf8');
const declared = [...read('client-core/c/zhibu.h').matchAll(/^ZHIBU_API \w+ (zhibu_\w+)\(/gm)].map(([, name]) => name);

test('Every function of the header can be called, but zhibu_free, which is not needed', () => {
  assert.ok(declared.length > 60);
  assert.deepEqual(Object.keys(native).sort(), declared.filter((name) => name !== 'zhibu_free').sort());
  assert.ok(abiVersion() >= 17);
});

test('What the pages may ask of the core they may ask of a store by its name', () => {
  const pages = [...read('client-core/screen/functions.cc').matchAll(/(?:ASKING|TELLING|DOING)\((zhibu_\w+)\)|table\["(zhibu_\w+)"\]/g)]
    .map(([, one, other]) => one ?? other);
  assert.ok(pages.length > 35);
  assert.deepEqual(pages.filter((name) => !asked.has(name)), []);
  const methods = [...asked.keys()].map((name) => name.slice('zhibu_'.length).replace(/_(\w)/g, (_, letter) => letter.toUpperCase()));
  assert.deepEqual(methods.filter((name) => typeof Store.prototype[name] !== 'function'), []);
});

test('JSON is what it is in every language', async () => {
  const meeting = {topic: '七月党员大会', amount: undefined};
  assert.deepEqual(JSON.parse(await toJson('Meeting', await fromJson('Meeting', JSON.stringify(meeting)))), {topic: '七月党员大会'});
  assert.equal(live(), 0n);
});

test('The program in docs/embedding.md is the one that runs', () => {
  const sample = read('client-core/js/sample.mjs');
  assert.ok(read('docs/embedding.md').includes(`\`\`\`js\n${sample}\`\`\``));
  const folder = new Folder();
  const said = execFileSync(process.execPath, [join(root, 'client-core/js/sample.mjs'), join(folder.path, 'a.db')]).toString().split('\n');
  folder.remove();
  assert.equal(said[0], '七月党员大会');
  assert.match(said[1], /党支部/);
  assert.deepEqual(said.slice(2), ['0 七月党员大会', '1 八月党员大会', '']);
});
