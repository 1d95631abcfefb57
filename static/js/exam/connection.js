// One live socket, always: hello, heartbeat, and a new socket with jitter when it dies. It reads no frame but to measure time.
// `navigator.onLine` is never asked: only what the server answers counts.

import { delay } from "./backoff.js";
import { FINAL_CLOSES, hello, parse, ping } from "./protocol.js";

/** @typedef {"connecting" | "online" | "slow" | "offline" | "waiting" | "ended"} Link `waiting`: the server is full, and says so */

const BEAT_MS = 10_000; // at least; a process that holds many asks for more
const OVERDUE_MS = 15_000; // beyond the next heartbeat
const SLOW_MS = 3_000;
const OPENING_MS = 10_000;
const WOKEN_MS = 4_000;
const SETTLING_MS = 1_000; // a socket that opens is let alone so long, whatever wakes the page
const LOOK_MS = 1_000;

export class Connection {
  /** @type {Link} */ link = "connecting";
  #socket = null;
  #attempt = 0;
  #retry = null;
  #due = 0; // monotonic ms of the next attempt
  #watch = null;
  #asked = new Map(); // what was sent at which monotonic time: "hello", or the `at` of a ping
  #hasToldSkew = true;
  #pinged = 0;
  #beatMs = BEAT_MS;
  #heard = 0;
  #woken = Number.NaN; // monotonic ms at which a sign of life was asked for, after a sleep perhaps
  /** @type {number | null} ms after which a server that is full wants to be asked again */ #told = null;
  #parts;

  /**
   * @param {{open: () => import("./ways.js").Socket, timers: {set: (call: () => void, ms: number) => any, clear: (timer: any) => void},
   *   monotonic: () => number, wall: () => number, random: () => number, question: () => number, waiting: () => number,
   *   skew: () => number | null,
   *   onFrame: (frame: import("./protocol.js").Frame, sentAt: number | null) => void,
   *   onLink: (link: Link, reason?: string) => void}} parts `question`: on screen; `waiting`: ms, for the next step of a
   *   case; `skew`: of the clocks, as in `hello`
   */
  constructor(parts) {
    this.#parts = parts;
  }

  /** Milliseconds until the next attempt; 0 while one is made. */
  get left() {
    return this.#retry === null ? 0 : Math.max(0, this.#due - this.#parts.monotonic());
  }

  /** Open the socket now, whatever was planned. */
  start() {
    if (this.link === "ended") return;
    if (this.link !== "offline" && this.link !== "waiting") this.#become("connecting"); // a socket that works gives way: nothing is sent before `state`
    this.#forget();
    const socket = this.#parts.open();
    this.#socket = socket;
    this.#heard = this.#pinged = this.#parts.monotonic();
    this.#beatMs = BEAT_MS;
    this.#woken = Number.NaN;
    socket.onopen = () => this.#greet();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lost(code);
    this.#look();
  }

  /** The page is seen again, or the system says that a network came: no waiting, and little patience with a silent socket. */
  wake() {
    const isOpening = this.#socket?.readyState === 0 && this.#parts.monotonic() - this.#heard < SETTLING_MS;
    if (isOpening || this.link === "ended" || (this.link === "waiting" && this.#retry)) return;
    if (this.#socket?.readyState !== 1) return this.start();
    this.#beat();
    this.#woken = this.#pinged;
  }

  /** @param {string} text @returns {boolean} whether it left */
  send(text) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(text);
    return true;
  }

  /** Ask for the whole state again. */
  greet() {
    this.#greet();
  }

  #greet() {
    const { monotonic, wall, skew, waiting } = this.#parts;
    this.#asked.set("hello", monotonic());
    this.#hasToldSkew = skew() !== null;
    this.send(hello(Math.trunc(wall()), skew(), waiting()));
  }

  #beat() {
    const at = Math.trunc(this.#parts.wall());
    this.#pinged = this.#parts.monotonic();
    this.#asked.set(at, this.#pinged);
    this.send(ping(at, this.#parts.question(), this.#parts.skew()));
  }

  #receive(data) {
    const frame = parse(data);
    if (frame === null) return;
    this.#heard = this.#parts.monotonic();
    this.#woken = Number.NaN;
    const asked = { state: "hello", pong: frame.at }[frame.t];
    const sentAt = this.#asked.get(asked) ?? null;
    this.#asked.delete(asked);
    if (frame.t === "state") this.#attempt = 0;
    if (frame.t === "wait") this.#told = frame.retry;
    if (frame.t === "pong") this.#beatMs = Math.max(BEAT_MS, (frame.beat ?? 0) * 1000);
    if (frame.t === "state" || frame.t === "pong") this.#become("online");
    this.#parts.onFrame(frame, sentAt);
    if (frame.t === "state" && !this.#hasToldSkew) this.#beat(); // before any act, which would be judged without it
  }

  #look() {
    const { timers, monotonic } = this.#parts;
    this.#watch = timers.set(() => this.#look(), LOOK_MS);
    const now = monotonic();
    const silent = now - this.#heard;
    if (silent > (this.#socket.readyState === 1 ? this.#beatMs + OVERDUE_MS : OPENING_MS) || now - this.#woken > WOKEN_MS) return this.#lost(1006);
    if (this.#socket.readyState !== 1) return;
    if (now - this.#pinged >= this.#beatMs) this.#beat();
    const waited = now - Math.min(now, ...this.#asked.values());
    if (waited > SLOW_MS && this.link === "online") this.#become("slow");
  }

  /** @param {number} code */
  #lost(code) {
    this.#forget();
    const reason = FINAL_CLOSES[code];
    if (reason) return this.#become("ended", reason);
    const told = this.#told;
    this.#told = null;
    this.#become(told === null ? "offline" : "waiting");
    const ms = told ?? delay(this.#attempt++, this.#parts.random);
    this.#due = this.#parts.monotonic() + ms;
    this.#retry = this.#parts.timers.set(() => this.start(), ms);
  }

  #forget() {
    const { timers } = this.#parts;
    timers.clear(this.#watch);
    timers.clear(this.#retry);
    this.#retry = null;
    this.#asked.clear();
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #become(link, reason) {
    if (link === this.link && !reason) return;
    this.link = link;
    this.#parts.onLink(link, reason);
  }
}
