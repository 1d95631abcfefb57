// Which way the frames take: a websocket, or HTTP when several websockets died before any frame while HTTP answers. From HTTP,
// a websocket is tried on the side, more and more rarely, and taken again as soon as one works.

import { delay } from "./backoff.js";
import { hello, parse } from "./protocol.js";

/**
 * @typedef {{readyState: number, send: (text: string) => void, close: () => void, onopen: (() => void) | null,
 *   onmessage: ((event: {data: unknown}) => void) | null, onclose: ((event: {code: number}) => void) | null}} Socket
 */

const BARREN = 2;
const TRIAL_MS = 10_000;
const FIRST_TRIAL = 3; // power of two of the first wait of BASE_MS
const RAREST_MS = 60_000;

export class Ways {
  #barren = 0;
  #isHttpDead = false;
  /** @type {import("./frames.js").FramesSocket | null} */ #frames = null;
  /** @type {{hasSpoken: boolean} | null} */ #last = null;
  #trials = 0;
  #parts;

  /**
   * @param {{socket: () => WebSocket, frames: () => import("./frames.js").FramesSocket, wall: () => number, random: () => number,
   *   timers: {set: (call: () => void, ms: number) => any, clear: (timer: any) => void}, better: () => void}} parts
   *   `better`: a websocket works again
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Whether frames travel by HTTP now. */
  get isHttp() {
    return this.#frames?.readyState === 1;
  }

  /** The next attempt. @returns {Socket} */
  open() {
    this.#judge();
    const isByHttp = this.#barren >= BARREN && !this.#isHttpDead;
    this.#isHttpDead = false;
    return isByHttp ? this.#openFrames() : this.#openSocket();
  }

  /** What became of the last attempt. */
  #judge() {
    if (this.#last && !this.#last.hasSpoken) this.#barren += 1;
    if (this.#frames) this.#isHttpDead = !this.#frames.hasOpened;
    this.#last = this.#frames = null;
  }

  #openSocket() {
    const socket = this.#parts.socket();
    const last = { hasSpoken: false };
    this.#last = last;
    socket.addEventListener("message", () => {
      last.hasSpoken = true;
      this.#barren = this.#trials = 0;
    }, { once: true });
    return socket;
  }

  #openFrames() {
    this.#frames = this.#parts.frames();
    this.#planTrial(this.#frames);
    return this.#frames;
  }

  #planTrial(frames) {
    const { timers, random } = this.#parts;
    const ms = delay(FIRST_TRIAL + this.#trials++, random, RAREST_MS);
    timers.set(() => frames === this.#frames && frames.readyState !== 3 && this.#try(frames), 1_000 + ms);
  }

  /** Open a websocket on the side, and listen for one frame. */
  #try(frames) {
    const { socket: open, timers, wall, better } = this.#parts;
    const socket = open();
    let isOver = false;
    const end = (works) => {
      if (isOver) return;
      isOver = true;
      timers.clear(patience);
      socket.close();
      if (frames !== this.#frames) return;
      if (!works) return this.#planTrial(frames);
      this.#barren = this.#trials = 0;
      better();
    };
    const patience = timers.set(() => end(false), TRIAL_MS);
    socket.addEventListener("open", () => socket.send(hello(Math.trunc(wall()), null)));
    socket.addEventListener("message", ({ data }) => end(parse(data)?.t !== "wait"));
    socket.addEventListener("close", () => end(false));
  }
}
