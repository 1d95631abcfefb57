// The server's time, told by the tablet's monotonic counter: the tablet's wall clock decides nothing.

const WINDOW = 8;
const TOLERANCE_MS = 250;

export class Clock {
  /** @type {{offset: number, rtt: number, skew: number}[]} */ #samples = [];
  /** @type {number | null} what was reckoned from the wall clock, until the server speaks */ #guess = null;
  #monotonic;
  #wall;

  /** @param {() => number} monotonic milliseconds, any origin @param {() => number} wall the tablet's clock, ms since 1970 */
  constructor(monotonic, wall) {
    this.#monotonic = monotonic;
    this.#wall = wall;
  }

  /** Whether the server has told its time to this page. */
  get isSet() {
    return this.#samples.length > 0;
  }

  /** Whether `now` means something. */
  get isKnown() {
    return this.isSet || this.#guess !== null;
  }

  /** Shortest round trip of the samples kept, ms; null before the first. */
  get rtt() {
    return this.isSet ? this.#best.rtt : null;
  }

  /**
   * How far the server's clock is ahead of the tablet's, at least, ms; null before the first sample. What a frame spent on its
   * way only hides a part of it: an act that the server holds late by it was late.
   */
  get skew() {
    return this.isSet ? Math.floor(Math.max(...this.#samples.map(({ skew }) => skew))) : null;
  }

  /** The server's time, ms since 1970; NaN before the first sample or guess. */
  now() {
    return this.isKnown ? this.#monotonic() + (this.isSet ? this.#best.offset : this.#guess) : Number.NaN;
  }

  /** Reckon with this time until the server tells its own. @param {number} now ms since 1970 */
  guess(now) {
    this.#guess = now - this.#monotonic();
  }

  /**
   * The server said `now`, in answer to something sent at `sentAt`.
   * A sample that its own round trip cannot reconcile with the others (a sleep, a step) replaces them all.
   * @param {number} now ms since 1970 @param {number} sentAt monotonic ms
   */
  sample(now, sentAt) {
    const received = this.#monotonic();
    const rtt = Math.max(0, received - sentAt);
    const offset = now - (sentAt + received) / 2;
    const agrees = this.isSet && Math.abs(offset - this.#best.offset) <= (rtt + this.#best.rtt) / 2 + TOLERANCE_MS;
    const sample = { offset, rtt, skew: now - this.#wall() };
    this.#samples = [...(agrees ? this.#samples : []), sample].slice(-WINDOW);
  }

  get #best() {
    return this.#samples.reduce((best, sample) => (sample.rtt <= best.rtt ? sample : best));
  }
}

const FINAL_MINUTES_MS = 5 * 60_000;

/**
 * What the clock shows: no seconds before the last five minutes.
 * @param {number} ms remaining
 * @returns {{text: string, tone: "warn" | "danger" | null}}
 */
export function remaining(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (ms > FINAL_MINUTES_MS) return { text: duration(ms), tone: null };
  return { text: `${minutes} min ${String(rest).padStart(2, "0")}`, tone: seconds < 60 ? "danger" : "warn" };
}

/** @param {number} ms @returns {string} `"1 h 42"` or `"14 min"`, rounded up to the minute */
export function duration(ms) {
  const minutes = Math.max(0, Math.ceil(ms / 60_000));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return hours ? `${hours} h ${String(rest).padStart(2, "0")}` : `${minutes} min`;
}

const MARKS = [30, 10, 5, 1];

/**
 * The minute mark crossed between two looks at the clock, or null: what is said aloud, once.
 * @param {number} before remaining ms at the previous look @param {number} after remaining ms now
 */
export const markCrossed = (before, after) =>
  MARKS.findLast((mark) => before > mark * 60_000 && after <= mark * 60_000 && after > 0) ?? null;
