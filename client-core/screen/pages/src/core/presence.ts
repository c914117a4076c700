// Whether somebody is at the screen: what a page asks by itself keeps nothing unlocked.
const quietMs = 30_000;
let last = Date.now();
let presenting = 0;

for (const kind of ['pointerdown', 'keydown', 'wheel', 'touchmove']) {
  addEventListener(kind, () => { last = Date.now(); }, {passive: true, capture: true});
}

export function somebodyIsThere(): boolean {
  return presenting > 0 || Date.now() - last < quietMs;
}

// While a code is held up to others, people stand before it. Gives what ends it.
export function present(): () => void {
  presenting += 1;
  let ended = false;
  return () => {
    if (!ended) presenting -= 1;
    ended = true;
  };
}
