// The candidate's tablet, without its screen: what is known, and the acts that may be done. Views read it and are told of changes.

import { genesis } from "./chain.js";
import { apply, blank } from "./fold.js";
import { Outbox } from "./outbox.js";
import { Paper } from "./paper.js";
import { isReadable } from "./progress.js";
import * as protocol from "./protocol.js";
import { Reader } from "./reader.js";

const RETRY_MS = 1_000;
const PAUSED_RETRY_MS = 5_000;

export class Tablet {
  /** @type {import("./connection.js").Link} */ link = "connecting";
  /** @type {number | null} monotonic ms at which the link was lost */ lostAt = null;
  /** @type {string | null} state of the sheet, as the server says it */ status = null;
  /** @type {number | null} server's ms */ endsAt = null;
  /** @type {number} ms of time granted and not yet acknowledged by the candidate */ granted = 0;
  /** @type {import("./protocol.js").Sitting | null} */ sitting = null;
  /** @type {string | null} anonymous number */ number = null;
  /** @type {import("./download.js").Progress | null} */ progress = null;
  /** @type {Outbox | null} */ outbox = null;
  /** @type {{code: string, text: string} | null} why this page may no longer write */ ending = null;
  /** @type {string | null} sentence of the last refusal */ refusal = null;
  /** @type {number | null} server's ms of the last acknowledgement */ savedAt = null;
  /** @type {Set<number>} questions already shown */ seen = new Set();
  /** @type {number} question on screen, 0 for none */ question = 0;
  isCalling = false;
  #reader = new Reader();
  #turn = Promise.resolve();
  #wanted = null;
  #retries = new Set();
  /** @type {{kind: string, q: number, value: string}[]} acts being stored */ #acting = [];
  #parts;

  /**
   * @param {{clock: import("./clock.js").Clock, storage: import("./storage.js").Storage, wall: () => number,
   *   monotonic: () => number, random: () => number, later: (call: () => void, ms: number) => void,
   *   send: (text: string) => boolean, greet: () => void, changed: () => void,
   *   fetchPaper: (place: import("./download.js").PaperPlace, told: (progress: object) => void) => Promise<ArrayBuffer>}} parts
   */
  constructor(parts) {
    this.#parts = parts;
    this.clock = parts.clock;
  }

  /**
   * The candidate's answers as shown, or null before the first `state`; with the acts that are still being stored, so that a
   * screen drawn meanwhile does not take them back.
   */
  get fold() {
    const fold = this.outbox?.fold ?? null;
    return fold && this.#acting.reduce((before, act) => apply(before, { ...act, seq: before.seq, digest: before.digest }), fold);
  }

  get paper() {
    return this.#reader.paper;
  }

  get isComposing() {
    return this.status === "COMPOSING" && !this.ending && !this.fold.submitted;
  }

  /** Acts of which nothing says that they are durable on the server; those that this tablet is still storing count too. */
  get unsaved() {
    return this.#acting.length + (this.outbox?.waiting ?? 0);
  }

  /** Remaining time, ms; null before the start. */
  get remaining() {
    return this.endsAt === null || !this.clock.isSet ? null : this.endsAt - this.clock.now();
  }

  /** Whether the text of a question can be shown now. @param {number} number */
  isOpen(number) {
    return this.#reader.holds(number) && isReadable(this.paper.entries.get(number), this.fold);
  }

  /** @param {number} number an open question */
  step(number) {
    return this.#reader.step(number);
  }

  /** @param {import("./connection.js").Link} link @param {string} [reason] of an end without return */
  becomes(link, reason) {
    const isUp = link === "online" || link === "slow";
    this.lostAt = isUp ? null : (this.lostAt ?? this.#parts.monotonic());
    this.link = link;
    if (reason) this.ending ??= { code: reason, text: "" };
    if (!isUp) this.outbox?.disconnect();
    this.#parts.changed();
  }

  /** Take in one frame, after those before it. @param {import("./protocol.js").Frame} frame @param {number | null} sentAt */
  receive(frame, sentAt) {
    if (sentAt !== null) this.clock.sample(frame.now, sentAt);
    const done = this.#turn.then(() => this.#receivers[frame.t](frame)).then(this.#parts.changed);
    this.#turn = done.catch(() => {}); // one frame that fails must not stop the next ones
    return done;
  }

  #receivers = {
    state: (frame) => this.#begin(frame),
    status: (frame) => this.#pass(frame),
    ack: (frame) => this.#saved(frame),
    refused: (frame) => this.#refused(frame),
    pong: () => {},
    bye: ({ code, text }) => {
      if (code === "replaced" || code === "version") this.ending = { code, text };
    },
  };

  async #begin(frame) {
    [this.sitting, this.number] = [frame.sitting, frame.sheet];
    this.outbox ??= await this.#opened(frame);
    await this.outbox.reconcile(frame);
    this.#pass(frame);
    for (const number of [...Object.keys(frame.answers), ...frame.sealed]) this.seen.add(Number(number));
    if (this.isCalling) this.#parts.send(protocol.call(true));
    if (frame.paper) this.#want(frame.paper);
  }

  async #opened({ sitting, sheet }) {
    const base = blank(await genesis(sitting.id, sheet));
    const { storage, send, wall, changed } = this.#parts;
    const outbox = new Outbox({ base, store: await storage.sheet(`${sitting.id}|${sheet}`), send, now: wall, changed });
    await outbox.load();
    return outbox;
  }

  #pass({ status, ends_at: endsAt, keys }) {
    const stays = status === "COMPOSING" && this.status === "COMPOSING";
    if (stays && endsAt > this.endsAt) this.granted += endsAt - this.endsAt;
    if (status === "COMPOSING" && this.status === "PAUSED") this.outbox?.retry();
    [this.status, this.endsAt] = [status, endsAt];
    this.#reader.learn(keys);
  }

  async #saved({ seq, keys }) {
    this.#reader.learn(keys);
    await this.outbox.acknowledge(seq);
    this.savedAt = this.clock.now();
  }

  async #refused(frame) {
    const advice = frame.seq === undefined ? unnumbered(frame.code) : await this.outbox.refuse(frame);
    if (advice === "retry") this.#again("retry", frame.code === "paused" ? PAUSED_RETRY_MS : RETRY_MS);
    if (advice === "resync") this.#again("resync", RETRY_MS);
    if (advice === "dropped") this.refusal = frame.text;
  }

  /** Once for a burst of refusals, and not in step with the other tablets. @param {"retry" | "resync"} how @param {number} ms */
  #again(how, ms) {
    if (this.#retries.has(how)) return;
    this.#retries.add(how);
    this.#parts.later(() => {
      this.#retries.delete(how);
      if (how === "retry") this.outbox.retry();
      else this.#parts.greet();
    }, ms * (0.5 + this.#parts.random()));
  }

  async #want(place) {
    if (this.#wanted !== place.digest) {
      this.#wanted = place.digest;
      const buffer = await this.#parts.fetchPaper(place, (progress) => {
        this.progress = progress;
        this.#parts.changed();
      });
      this.#reader.paper = new Paper(buffer);
    }
    if (this.paper && ["EXPECTED", "ADMITTED"].includes(this.status)) this.#parts.send(protocol.ready(this.#wanted));
    this.#parts.changed();
  }

  /** @param {number} number question on screen, 0 for none */
  show(number) {
    this.question = number;
    if (number) this.seen.add(number);
    this.#parts.changed();
  }

  /** One act of the candidate; refused here when the sheet takes no more. @param {string} kind @param {number} number @param {string} value */
  async act(kind, number, value) {
    if (!this.isComposing || (kind !== "flag" && this.fold.sealed.includes(number))) return;
    this.refusal = null;
    const act = { kind, q: number, value };
    this.#acting.push(act);
    try {
      await this.outbox.add(kind, number, value);
    } finally {
      this.#acting.splice(this.#acting.indexOf(act), 1);
    }
  }

  /** Raise or lower a hand. @param {boolean} raised @returns {boolean} whether the server will hear it now */
  call(raised) {
    this.isCalling = raised;
    const left = this.#parts.send(protocol.call(raised));
    this.#parts.changed();
    return left;
  }

  /** The candidate has read that time was granted. */
  acknowledgeGrant() {
    this.granted = 0;
    this.#parts.changed();
  }
}

/** What to do when the server did not read which act it refuses: if it will take it later, agree with it again. @param {string} code */
const unnumbered = (code) => (protocol.RETRY_CODES.has(code) ? "resync" : "dropped");
