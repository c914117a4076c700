// Something that is waited for may have come: many rings before somebody waits are one.
export class Bell {
  private rung = false;
  private wake: (() => void) | undefined;

  readonly ring = (): void => {
    this.rung = true;
    this.wake?.();
  };

  // Until it is rung, or so long; 0: for ever.
  async wait(ms = 0): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    if (!this.rung) {
      await new Promise<void>((done) => {
        this.wake = done;
        if (ms > 0) timer = setTimeout(done, ms);
      });
    }
    clearTimeout(timer);
    this.wake = undefined;
    this.rung = false;
  }
}
