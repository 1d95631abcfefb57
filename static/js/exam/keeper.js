// Keeps beside the acts what a start without network needs: written when it changes, and again after a storage that failed.

const AGAIN_MS = 5_000;

export class Keeper {
  #written = "";
  #notBefore = 0;
  #isOver = false;
  #parts;

  /** @param {{save: (row: object) => Promise<void>, monotonic: () => number, wall: () => number}} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /** @param {import("./kept.js").Session | null} session @param {import("./clock.js").Clock} clock */
  async keep(session, clock) {
    const { save, monotonic, wall } = this.#parts;
    const text = JSON.stringify(session);
    if (session === null || this.#isOver || text === this.#written || monotonic() < this.#notBefore) return;
    this.#written = text;
    try {
      await save({ session, mark: { now: Math.trunc(clock.now()), wall: Math.trunc(wall()) } });
    } catch {
      this.#written = "";
      this.#notBefore = monotonic() + AGAIN_MS;
    }
  }

  /** What was written is gone. */
  lose() {
    this.#written = "";
  }

  /** Write nothing any more. */
  end() {
    this.#isOver = true;
  }
}
