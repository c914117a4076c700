// How an app, or a page in one, reaches the core of its device: bytes in, bytes out, by the functions of
// zhibu.h. A Store has the core in its own process; a page has a bridge to whoever has it.
export interface Core<Events> {
  // The answer of that function. Throws what says why not.
  call(name: string, body: Uint8Array): Promise<Uint8Array>;
  // `listener` is told whenever there is something to ask for again.
  follow(listener: (events: Events) => void): void;
}
