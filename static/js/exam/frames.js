// The same frames by HTTP, behind the interface of a WebSocket, for a network that lets no websocket through: one request at a
// time, at once when there is something to say, else about every two seconds. What fails ends it; the connection starts again.

import { CLOSE_OF_BYE, FRAMES_URL, MOST_FRAMES, hello } from "./protocol.js";

/**
 * @typedef {import("./protocol.js").Frame} Frame
 * @typedef {(texts: string[], signal?: AbortSignal) => Promise<{status: number, frames: Frame[]}>} Post
 */

const POLL_MS = 2_000;
const PATIENCE_MS = 25_000;
const TICKET = 4401;
const BUSY = 4503;
const NETWORK = 1006;

/**
 * Frames to the server, and what it answers; fails like `fetch`, or when the answer is not such an array. Each request tells the
 * tablet's clock: the server keeps nothing from one to the next, and holds no op late on a clock that it never measured.
 * @param {{wall: () => number, skew: () => number | null}} clocks `skew`: as in `hello` @returns {Post}
 */
export const poster = ({ wall, skew }) => async (texts, signal = AbortSignal.timeout(PATIENCE_MS)) => {
  const body = `[${[hello(Math.trunc(wall()), skew()), ...texts].join(",")}]`;
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(FRAMES_URL, { method: "POST", headers, body, signal, cache: "no-store" });
  const frames = await response.json();
  if (!Array.isArray(frames)) throw new Error("not an array of frames");
  return { status: response.status, frames };
};

export class FramesSocket {
  readyState = 0;
  hasOpened = false;
  onopen = null;
  onmessage = null;
  onclose = null;
  /** @type {string[]} */ #queue = [];
  #timer = null;
  #isBusy = false;
  #stop = new AbortController();
  #parts;

  /** @param {{post: Post, timers: {set: (call: () => void, ms: number) => any, clear: (timer: any) => void}, random: () => number}} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#plan(0);
  }

  /** @param {string} text one frame */
  send(text) {
    this.#queue.push(text);
    if (!this.#isBusy) this.#plan(0);
  }

  close() {
    this.readyState = 3;
    this.#parts.timers.clear(this.#timer);
    this.#stop.abort();
  }

  #plan(ms) {
    const { timers } = this.#parts;
    timers.clear(this.#timer);
    this.#timer = timers.set(() => this.#exchange(), ms);
  }

  async #exchange() {
    this.#isBusy = true;
    const texts = this.#queue.splice(0, MOST_FRAMES);
    const { status, frames } = await this.#parts.post(texts, this.#stop.signal).catch(() => ({ status: 0, frames: [] }));
    this.#isBusy = false;
    if (this.readyState === 3) return;
    if (status !== 200) return this.#end(status === 401 ? TICKET : NETWORK);
    this.#open();
    const asked = texts.map((text) => JSON.parse(text));
    for (const frame of frames) this.#tell(frame, asked);
    if (this.readyState === 3) return;
    const bye = frames.find(({ t }) => t === "bye");
    if (bye) this.#end(CLOSE_OF_BYE[bye.code] ?? BUSY);
    else if (!isSettled(asked, frames)) this.#end(BUSY);
    else this.#plan(this.#queue.length ? 0 : POLL_MS * (0.75 + this.#parts.random() / 2));
  }

  #open() {
    if (this.hasOpened) return;
    this.readyState = 1;
    this.hasOpened = true;
    this.onopen?.();
  }

  /** A `state` that nobody asked for only tells whether the sheet's state or end has changed. @param {Frame} frame @param {Frame[]} asked */
  #tell(frame, asked) {
    const isNews = frame.t === "state" && !asked.some(({ t }) => t === "hello");
    const { now, status, ends_at, keys } = frame;
    this.onmessage?.({ data: JSON.stringify(isNews ? { t: "status", now, status, ends_at, keys } : frame) });
  }

  /** @param {number} code */
  #end(code) {
    this.close();
    this.onclose?.({ code });
  }
}

/** Whether the server has said something of each op it was sent. @param {Frame[]} asked @param {Frame[]} frames */
const isSettled = (asked, frames) =>
  frames.some(({ t }) => t === "state") &&
  asked.every(({ t, seq }) => t !== "op" || frames.some((frame) => frame.seq === seq));
