// Runs a script of conformance (tests/conformance/README.md): the words of it that are about data.
import assert from 'node:assert/strict';

// By names and places, joined by dots.
export function at(found, path) {
  return path.split('.').filter(Boolean).reduce((value, step) => value?.[step], found);
}

// With what was kept put in for ${name}, and records as text.
export function filled(value, kept) {
  if (typeof value === 'string') {
    const whole = /^\$\{([^}]*)\}$/.exec(value);
    if (whole) return at(kept, whole[1]);
    return value.replace(/\$\{([^}]*)\}/g, (_, name) => String(at(kept, name)));
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, kept));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, kept)]));
}

const eachJson = (value, change) => {
  if (Array.isArray(value)) return value.map((one) => eachJson(one, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name === 'json' ? change(one) : eachJson(one, change)]));
};
export const withText = (value) => eachJson(value, (json) => (typeof json === 'string' ? json : JSON.stringify(json)));
export const withRecords = (value) => eachJson(value, (json) => (typeof json === 'string' ? JSON.parse(json) : json));

// That `found` has in it what is expected.
export function has(found, expected, where) {
  if (expected === null) return assert.equal(found ?? null, null, where);
  if (Array.isArray(expected)) {
    assert.equal(found?.length ?? 0, expected.length, `${where}: how many`);
    return expected.forEach((one, i) => has(found[i], one, `${where}.${i}`));
  }
  if (typeof expected === 'object') {
    for (const [name, one] of Object.entries(expected)) has(found?.[name], one, `${where}.${name}`);
    return undefined;
  }
  if (Array.isArray(found)) return assert.equal(found.length, expected, `${where}: how many`);
  if (found === undefined && !expected) return undefined;
  return assert.equal(String(found), String(expected), where);
}

// The same in every language.
export function chance(seed) {
  let x = seed;
  return () => (x = (x * 48271) % 2147483647);
}
