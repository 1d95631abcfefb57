// The candidate's tablet, without its screen: what is known, and the acts that may be done. Views read it and are told of changes.

import { delay } from "./backoff.js";
import { genesis } from "./chain.js";
import { apply, blank } from "./fold.js";
import { reckoned } from "./kept.js";
import { Outbox } from "./outbox.js";
import { Paper } from "./paper.js";
import { isReadable, openedBy } from "./progress.js";
import * as protocol from "./protocol.js";
import { Reader } from "./reader.js";
import { rescue } from "./rescue.js";

const RETRY_MS = 1_000;
const PAUSED_RETRY_MS = 5_000;
const GIVEN_BACK_MS = 30 * 60_000; // what exams/rules/timing.py credits at most

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
  /** @type {number} question of the last act that the server knows of, 0 for none */ position = 0;
  /** @type {number} acts that the server keeps apart for the jury */ quarantined = 0;
  /** @type {boolean} whether acts of a replaced tablet can leave no more by themselves */ isStuck = false;
  /** @type {number | null} place before a server that is full */ place = null;
  /** @type {string | null} why the server lets this tablet in no more, for now */ turnedAway = null;
  /** @type {boolean} whether frames travel by HTTP */ isByHttp = false;
  isCalling = false;
  /** @type {string | null} names the sheet on this tablet */ #key = null;
  #reader = new Reader();
  #turn = Promise.resolve();
  /** @type {import("./protocol.js").PaperPlace | null} */ #place = null;
  #retries = new Set();
  /** @type {{kind: string, q: number, value: string}[]} acts being stored */ #acting = [];
  #parts;

  /**
   * @param {{clock: import("./clock.js").Clock, storage: import("./storage.js").Storage, wall: () => number,
   *   monotonic: () => number, random: () => number, later: (call: () => void, ms: number) => void,
   *   send: (text: string) => boolean, post: import("./frames.js").Post, greet: () => void, changed: () => void,
   *   fetchPaper: (place: import("./protocol.js").PaperPlace, told: (progress: object) => void) => Promise<ArrayBuffer>}} parts
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

  /** Number of acts that the server has not said are durable, those that are being stored included. */
  get unsaved() {
    return (this.outbox?.waiting ?? 0) + this.#acting.length;
  }

  /** Whether an act is on its way to the tablet's own storage, where nothing can lose it. */
  get isStoring() {
    return this.#acting.length > 0;
  }

  /** Whether nothing that is done now reaches the server. */
  get isCutOff() {
    return ["offline", "waiting", "ended"].includes(this.link);
  }

  /** Whether nothing of this sheet is to be done here any more. */
  get isOver() {
    if (!this.outbox?.isRead || this.unsaved) return false;
    const isClosed = this.outbox.base.submitted || this.status === "SUBMITTED" || this.status === "CLOSED";
    return isClosed || this.ending?.code === "replaced";
  }

  /** Remaining time, ms; null before the start. Where the sitting gives a wait back, it stands still while the wait lasts. */
  get remaining() {
    if (this.endsAt === null || !this.clock.isKnown) return null;
    const isGivenBack = this.sitting.offline_clock === "STOP" && this.lostAt !== null;
    return this.endsAt - this.clock.now() + (isGivenBack ? Math.min(this.waiting, GIVEN_BACK_MS) : 0);
  }

  /** For how long the key of the next step of a case has been awaited, ms by the tablet's clock; 0 when none is. */
  get waiting() {
    const isAwaited = ({ kind, q }) => kind === "seal" && this.paper && openedBy(this.paper.entries, q) !== null;
    const seal = this.outbox?.pending.find(isAwaited);
    return seal ? Math.max(0, Math.trunc(this.#parts.wall()) - seal.at) : 0;
  }

  /** What a start without network needs beside the outbox, or null when nothing is known yet. @returns {import("./kept.js").Session | null} */
  get session() {
    if (!this.outbox || this.status === null) return null;
    const { sitting, number, status, endsAt, question, savedAt, quarantined } = this;
    const [paper, keys, seen] = [this.#place, this.#reader.keys, [...this.seen]];
    return { key: this.#key, sitting, number, status, endsAt, paper, keys, question, seen, savedAt, quarantined };
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
    this.#letGo();
    this.#parts.changed();
  }

  /** Take back, before any frame, what a previous life of this page kept of the sheet that the ticket names. @param {string} key */
  resume(key) {
    return this.#later(async () => {
      const [sitting, number] = key.split("|");
      const hasBase = await this.#open(Number(sitting), number);
      const kept = await this.#parts.storage.session(key).catch(() => null);
      if (hasBase && kept) this.#restore(kept);
      this.#parts.changed();
    });
  }

  /** The storage was lost under way: write everything again. */
  async persist() {
    await this.outbox?.persist();
    this.#letGo(); // what could not be read before may be here now
    if (this.paper) await this.#parts.storage.keepPaper(this.#place.digest, this.paper.buffer).catch(() => {});
  }

  /** Take in one frame, after those before it. @param {import("./protocol.js").Frame} frame @param {number | null} sentAt */
  receive(frame, sentAt) {
    if (sentAt !== null) this.clock.sample(frame.now, sentAt);
    return this.#later(() => this.#receivers[frame.t](frame)).then(this.#parts.changed);
  }

  /** One thing at a time, in the order they came. @template T @param {() => T | Promise<T>} call */
  #later(call) {
    const done = this.#turn.then(call);
    this.#turn = done.catch(() => {}); // one that fails must not stop the next ones
    return done;
  }

  #receivers = {
    state: (frame) => this.#begin(frame),
    status: (frame) => this.sitting && this.#pass(frame), // of a sheet not known yet, `state` will tell
    ack: (frame) => this.#saved(frame),
    refused: (frame) => this.#refused(frame),
    pong: () => {},
    wait: ({ place }) => {
      this.place = place;
    },
    bye: ({ code, text }) => {
      if (code === "replaced" || code === "version") this.ending = { code, text };
      if (code === "network") this.turnedAway = text;
    },
  };

  async #begin(frame) {
    this.place = this.turnedAway = null;
    await this.#open(frame.sitting.id, frame.sheet);
    [this.sitting, this.number, this.position] = [frame.sitting, frame.sheet, frame.position];
    await this.outbox.reconcile(frame);
    this.#pass(frame);
    for (const number of [...Object.keys(frame.answers), ...frame.sealed]) this.seen.add(Number(number));
    if (this.isCalling) this.#parts.send(protocol.call(true));
    if (frame.paper) this.#want(frame.paper);
  }

  /** The outbox of a sheet, with what the tablet kept of it; another sheet's is left. @returns {Promise<boolean>} whether a base was kept */
  async #open(sitting, number) {
    const key = protocol.sheetKey({ id: sitting }, number);
    if (key === this.#key) return false;
    this.#leave();
    this.#key = key;
    const { storage, send, wall, changed } = this.#parts;
    const base = blank(await genesis(sitting, number));
    const outbox = new Outbox({ base, store: await storage.sheet(key), send, now: wall, changed });
    const hasBase = await outbox.load();
    this.outbox = outbox;
    return hasBase;
  }

  /** Nothing of another sheet may be shown beside this one. */
  #leave() {
    this.outbox?.detach();
    this.outbox = this.sitting = this.number = this.status = this.endsAt = null;
    this.savedAt = this.progress = this.#place = null;
    [this.question, this.quarantined, this.granted] = [0, 0, 0];
    this.seen.clear();
    this.#reader = new Reader();
  }

  /** @param {{session: import("./kept.js").Session, mark: import("./kept.js").Mark}} kept */
  #restore({ session, mark }) {
    const { sitting, number, status, endsAt, paper, keys, question, seen, savedAt, quarantined } = session;
    Object.assign(this, { sitting, number, status, endsAt, question, savedAt, quarantined });
    this.seen = new Set(seen);
    this.#reader.learn(keys);
    this.clock.guess(reckoned(mark, Math.trunc(this.#parts.wall())));
    if (paper) this.#want(paper);
  }

  /** When another tablet has the sheet, nothing stays here. */
  #letGo() {
    if (this.link === "ended" && this.ending.code === "replaced") this.#later(() => this.#surrender());
  }

  /** Another tablet has the sheet: what this one had not sent leaves once, for the jury. */
  async #surrender() {
    for (let attempt = 0; this.outbox?.waiting && !this.isStuck; attempt++) {
      const { state, quarantined } = await rescue(this.outbox, this.#key, this.#parts.post);
      this.quarantined += quarantined;
      this.isStuck = state === "refused";
      this.#parts.changed();
      if (state === "waiting") await new Promise((resolve) => this.#parts.later(resolve, delay(attempt + 2, this.#parts.random)));
    }
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
    this.savedAt = Math.trunc(this.clock.now());
  }

  async #refused(frame) {
    const advice = frame.seq === undefined ? unnumbered(frame.code) : await this.outbox.refuse(frame);
    if (advice === "retry") this.#again("retry", frame.code === "paused" ? PAUSED_RETRY_MS : RETRY_MS);
    if (advice === "resync") this.#again("resync", RETRY_MS);
    if (advice === "dropped" && frame.code === "quarantined") this.quarantined += 1;
    else if (advice === "dropped") this.refusal = frame.text;
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
    const reader = this.#reader;
    if (this.#place?.digest !== place.digest) {
      this.#place = place;
      const buffer = await this.#parts.fetchPaper(place, (progress) => {
        this.progress = progress;
        this.#parts.changed();
      });
      reader.paper = new Paper(buffer);
    }
    if (this.paper && ["EXPECTED", "ADMITTED"].includes(this.status)) this.#parts.send(protocol.ready(this.#place.digest));
    this.#parts.changed();
  }

  /** Begin where the candidate was: here, or on the tablet before this one. */
  begin() {
    this.show(this.position && this.isOpen(this.position) ? this.position : 1);
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
    this.#parts.changed();
    try {
      await this.outbox.add(kind, number, value);
    } finally {
      this.#acting.splice(this.#acting.indexOf(act), 1);
      this.#parts.changed();
      this.#letGo(); // it was being stored when the sheet left, perhaps
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
