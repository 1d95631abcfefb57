// A server of the wire reduced to its rules, for one sheet, behind a network that loses and delays. Seeded: it fails the same way twice.

import { chained, genesis } from "../../static/js/exam/chain.js";
import { apply, blank } from "../../static/js/exam/fold.js";

/** A small deterministic generator (mulberry32). @param {number} seed @returns {() => number} in [0, 1) */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class FakeServer {
  /** @type {import("../../static/js/exam/protocol.js").Op[]} */ journal = [];

  static async start() {
    return new FakeServer(await genesis(3, "K7-4302"));
  }

  /** @param {string} digest */
  constructor(digest) {
    this.genesis = digest;
    this.fold = blank(digest);
    /** @type {(op: object) => string | null} */
    this.objection = () => null;
  }

  /** @returns {Promise<object>} the answer to one op */
  async receive({ t: _type, ...op }) {
    const stored = this.journal[op.seq - 1];
    if (stored) return stored.digest === op.digest ? { t: "ack", seq: op.seq } : refusal("contradiction", op);
    if (op.seq !== this.fold.seq + 1) return refusal("gap", op);
    const code = this.objection(op);
    if (code) return refusal(code, op);
    if ((await chained(this.fold, op)).digest !== op.digest) return refusal("digest", op);
    this.journal.push(op);
    this.fold = apply(this.fold, op);
    return { t: "ack", seq: op.seq };
  }

  state() {
    const { submitted: _submitted, ...fold } = structuredClone(this.fold);
    return { t: "state", status: "COMPOSING", ...fold };
  }
}

const refusal = (code, { seq }) => ({ t: "refused", code, text: code, seq });

/** A tablet's drawers, in memory: what is written stays when the page dies. */
export class MemoryStore {
  base = null;
  ops = [];
  isBroken = false;

  async load() {
    return this.base || this.ops.length ? structuredClone({ base: this.base, ops: this.ops }) : null;
  }

  async append(op) {
    if (this.isBroken || !this.base) throw new Error("quota");
    this.ops.push(structuredClone(op));
  }

  async replace(base, ops) {
    if (this.isBroken) throw new Error("quota");
    [this.base, this.ops] = structuredClone([base, ops]);
  }
}

