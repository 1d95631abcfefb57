// The ops of this tablet that the server has not yet said are durable: stored before they are shown or sent, sent in order,
// forgotten only when acknowledged. No DOM, no socket, no clock of its own.

import { chained } from "./chain.js";
import { apply, folded, touched } from "./fold.js";
import { RETRY_CODES, act } from "./protocol.js";

/**
 * @typedef {import("./protocol.js").Op} Op
 * @typedef {import("./fold.js").Fold} Fold
 * @typedef {{load: () => Promise<{base: Fold | null, ops: Op[]} | null>, append: (op: Op) => Promise<void>,
 *   replace: (base: Fold, ops: Op[]) => Promise<void>}} Store `append` fails when what it adds to is not there any more;
 *   `replace` forgets all other ops, in one transaction
 */

export const WINDOW = 16;

/** @type {Store} keeps nothing, for a page whose sheet is over */
const NOWHERE = { load: async () => null, append: async () => {}, replace: async () => {} };

export class Outbox {
  /** @type {Fold} */ #base;
  /** @type {Fold} a sheet without any op */ #blank;
  /** @type {Op[]} */ #pending = [];
  #flying = 0;
  #connected = false;
  #isRead = true;
  #turn = Promise.resolve();
  #store;
  #send;
  #now;
  #changed;

  /**
   * @param {{base: Fold, store: Store, send: (text: string) => void, now: () => number, changed?: () => void}} parts
   *   `base`: the fold of a sheet without any op; `now`: the tablet's clock, ms since 1970
   */
  constructor({ base, store, send, now, changed = () => {} }) {
    this.#base = this.#blank = base;
    this.#store = store;
    this.#send = send;
    this.#now = now;
    this.#changed = changed;
  }

  /** Whether the tablet's own storage works; without it ops live in memory only. */
  isDurable = true;

  /** Whether what a previous life of this page stored is known; until then nothing is written over it. */
  get isRead() {
    return this.#isRead;
  }

  /** What the server has acknowledged. */
  get base() {
    return this.#base;
  }

  /** What the candidate sees: acknowledged, then pending. @returns {Fold} */
  get fold() {
    return this.#pending.reduce(apply, this.#base);
  }

  /** Number of ops without acknowledgement. */
  get waiting() {
    return this.#pending.length;
  }

  /** Tablet's time of the oldest op without acknowledgement, or null. */
  get waitingSince() {
    return this.#pending[0]?.at ?? null;
  }

  /** The ops without acknowledgement, in order. @returns {readonly Op[]} */
  get pending() {
    return this.#pending;
  }

  /** The frames of all ops without acknowledgement. @returns {string[]} */
  get frames() {
    return this.#pending.map(act);
  }

  /**
   * Take back what a previous life of this page had stored. Acts with a hole between them are chained anew.
   * @returns {Promise<boolean>} whether what the server had acknowledged was there
   */
  load() {
    return this.#alone(async () => {
      const kept = await this.#store.load().catch(() => undefined);
      this.isDurable = this.#isRead = kept !== undefined;
      if (!kept) return false;
      const { base, ops } = kept;
      this.#base = base ?? this.#base;
      const first = base ? base.seq + 1 : ops[0]?.seq;
      this.#pending = ops.every(({ seq }, index) => seq === first + index) ? ops : await rechained(this.#base, ops);
      return base !== null;
    });
  }

  /** Record one act. Resolves once it is stored. @param {string} kind @param {number} q @param {string} value */
  add(kind, q, value) {
    return this.#alone(async () => {
      const op = await chained(this.#head, { kind, q, value, at: this.#now() });
      const all = () => this.#store.replace(this.#base, [...this.#pending, op]);
      await this.#durably(() => (this.isDurable ? this.#store.append(op).catch(all) : all()));
      this.#pending.push(op);
    });
  }

  /** Store everything again: the storage was wiped, or may work again. */
  persist() {
    return this.#alone(async () => {
      await this.#recall().catch(() => {}); // what cannot be read yet is not written over
      await this.#durably(() => this.#store.replace(this.#base, this.#pending));
    });
  }

  /** Keep nothing on this tablet from now on. */
  detach() {
    this.#store = NOWHERE;
    this.#isRead = true;
  }

  /** The server's `state`: agree on the common part of the chain, then send the rest. */
  reconcile(frame) {
    return this.#alone(async () => {
      const server = folded(frame);
      const at = await this.#position(server);
      this.#connected = true;
      await this.#settle(server, at === null ? await this.#remade(server) : this.#pending.slice(at));
    });
  }

  /** Op `seq`, and so all before it, is durable. @param {number} seq */
  acknowledge(seq) {
    return this.#alone(async () => {
      const done = this.#pending.filter((op) => op.seq <= seq).length;
      if (!done) return;
      const base = this.#pending.slice(0, done).reduce(apply, this.#base);
      const flying = Math.max(0, this.#flying - done);
      await this.#settle(base, this.#pending.slice(done), flying);
    });
  }

  /**
   * The server refused an op.
   * @param {{code: string, seq?: number}} frame
   * @returns {Promise<"retry" | "resync" | "dropped" | "stale">} what the caller must arrange
   */
  refuse({ code, seq }) {
    return this.#alone(async () => {
      if (code === "contradiction") return "resync";
      if (RETRY_CODES.has(code)) return "retry";
      const index = this.#pending.findIndex((op) => op.seq === seq);
      if (index < 0) return "stale";
      const isKept = code === "digest"; // nothing wrong in the act itself, only in what it was chained to
      const before = this.#pending.slice(0, index);
      const after = await rechained(before.at(-1) ?? this.#base, this.#pending.slice(isKept ? index : index + 1));
      await this.#settle(this.#base, [...before, ...after]);
      return isKept ? "stale" : "dropped";
    });
  }

  /** The server keeps these acts apart from the sheet: this tablet, which no longer writes, lets them go. @param {number[]} seqs */
  surrender(seqs) {
    return this.#alone(() => this.#settle(this.#base, this.#pending.filter(({ seq }) => !seqs.includes(seq))));
  }

  /** Send again everything that has no acknowledgement. */
  retry() {
    return this.#alone(async () => {
      this.#flying = 0;
    });
  }

  /** The socket is gone: nothing is in flight any more. */
  disconnect() {
    return this.#alone(async () => {
      this.#connected = false;
      this.#flying = 0;
    });
  }

  get #head() {
    return this.#pending.at(-1) ?? this.#base;
  }

  /** How many pending ops the server's head covers, or null when its chain is not ours. @param {Fold} server */
  async #position(server) {
    const heads = [this.#base, ...this.#pending];
    const index = heads.findIndex((head) => head.seq === server.seq && head.digest === server.digest);
    if (index >= 0) return index;
    const next = this.#pending.findIndex((op) => op.seq === server.seq + 1); // our own base may have been lost
    if (next < 0) return null;
    return (await chained(server, this.#pending[next])).digest === this.#pending[next].digest ? next : null;
  }

  /** Our pending acts on top of another chain, but those on which that chain has since decided. @param {Fold} server */
  #remade(server) {
    const ours = this.#pending.filter((op) => touched(this.#base, op) === touched(server, op));
    return rechained(server, ours);
  }

  /** What could not be read at the start follows what was done since, but acts on which that has decided. */
  async #recall() {
    if (this.#isRead) return;
    const kept = await this.#store.load();
    this.#isRead = true;
    const before = kept?.base ?? this.#blank;
    const ours = (kept?.ops ?? []).filter((op) => touched(before, op) === touched(this.fold, op));
    this.#pending.push(...(await rechained(this.#head, ours)));
  }

  /** @param {Fold} base @param {Op[]} pending @param {number} [flying] */
  async #settle(base, pending, flying = 0) {
    await this.#durably(() => this.#store.replace(base, pending));
    [this.#base, this.#pending, this.#flying] = [base, pending, flying];
  }

  async #durably(write) {
    try {
      if (!this.#isRead) throw new Error("what is stored could not be read");
      await write();
      this.isDurable = true;
    } catch {
      this.isDurable = false; // a full or broken storage must not stop a candidate: the server still gets every op
    }
  }

  /** One change at a time, in the order asked; then send what may be sent. @template T @param {() => Promise<T>} change */
  #alone(change) {
    const done = this.#turn.then(change);
    this.#turn = done.catch(() => {}).then(() => {
      this.#pump();
      this.#changed();
    });
    return this.#turn.then(() => done);
  }

  #pump() {
    while (this.#connected && this.#flying < Math.min(WINDOW, this.#pending.length)) {
      this.#send(act(this.#pending[this.#flying++]));
    }
  }
}

/** The same acts, numbered and chained after another head. @param {{seq: number, digest: string}} head @param {Op[]} ops */
async function rechained(head, ops) {
  const remade = [];
  for (const op of ops) remade.push(await chained(remade.at(-1) ?? head, op));
  return remade;
}
