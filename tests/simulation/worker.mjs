// The tablets' side of the simulation: real `static/js/exam` modules, with an injected clock, network, storage, digest and dice.
// One JSON line in, an array of steps of many worlds; one JSON line out, what each of them did. `simulator.md` has the commands.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const ROOT = pathToFileURL(`${process.argv[2]}/`).href;
const load = (name) => import(`${ROOT}${name}.js`);
const { Tablet } = await load("tablet");
const { Connection } = await load("connection");
const { Clock } = await load("clock");
const { Header } = await load("header");
const { screenOf } = await load("screens");
const { receiptCode } = await load("chain");

const SHAPE = ["kind", "q", "value", "at"];
const keyOf = (op) => SHAPE.map((name) => op[name]).join("|");
const drained = () => new Promise((resolve) => setImmediate(resolve));

// Nothing of the machine: a digest without threads, so that promises settle in the same order each time.
const digest = async (_name, bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());
Object.defineProperty(globalThis, "crypto", { value: { subtle: { digest } } });
let today = () => 0;
Date.now = () => today();
Date.prototype.toLocaleTimeString = () => "00:00:00";

/** A small deterministic generator (mulberry32). */
function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** As much of a document as the header writes on. */
class Drawing {
  #elements = new Map();

  getElementById(id) {
    if (!this.#elements.has(id)) this.#elements.set(id, new Element());
    return this.#elements.get(id);
  }

  createElement() {
    return new Element();
  }

  createElementNS() {
    return new Element();
  }
}

class Element {
  dataset = {};
  textContent = "";
  setAttribute() {}
  addEventListener() {}
  append() {}
  replaceChildren() {}
  querySelector() {
    return this;
  }
}

/** What stays of a tablet when its page dies. Writes are on disk when their promise resolves, as in `storage.js`. */
class Disk {
  key = null;
  base = null;
  ops = [];
  mode = "ok";
  skew = 0;
  life = 0;
  #seen = new Set();
  #kept = new Set();

  constructor(world, name) {
    [this.world, this.name] = [world, name];
  }

  /** @param {Page} page */
  drawers(page) {
    const store = {
      load: () => this.#later(page, () => (this.base || this.ops.length ? structuredClone({ base: this.base, ops: this.ops }) : null)),
      append: (op) => {
        this.#hear(op);
        return this.#write(page, () => {
          if (!this.base) throw new Error("nothing to add to");
          this.ops.push(structuredClone(op));
          this.#keep();
        });
      },
      replace: (base, ops) => {
        ops.forEach((op) => this.#hear(op));
        return this.#write(page, () => {
          [this.base, this.ops] = structuredClone([base, ops]);
          this.#keep();
        });
      },
    };
    return {
      sheet: async (key) => {
        if (this.key !== key) [this.key, this.base, this.ops] = [key, null, []];
        return store;
      },
      clear: () => this.#write(page, () => this.wipe()),
      session: async () => null,
      keepPaper: async () => {},
    };
  }

  wipe() {
    [this.base, this.ops] = [null, []];
    this.#kept.clear();
  }

  corrupt() {
    const victim = this.ops[0] ?? this.base;
    if (victim) victim.digest = "0".repeat(64);
  }

  /** Writes under way when the page dies: done or not, nobody knows. */
  abandon(page) {
    for (const change of page.writes) {
      try {
        if (this.mode === "ok" && this.world.random() < 0.5) change();
      } catch {
        // that write had nothing to add to
      }
    }
  }

  #hear(op) {
    const key = keyOf(op);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.world.say({ k: "op", p: this.name, o: key });
  }

  #keep() {
    const here = new Set(this.ops.map(keyOf));
    for (const key of here) if (!this.#kept.has(key)) this.world.say({ k: "kept", p: this.name, o: key });
    this.#kept = here;
  }

  #later(page, call) {
    const ms = 1 + Math.floor(this.world.random() * 12);
    return new Promise((resolve, reject) => {
      this.world.later(page, ms, () => {
        try {
          resolve(call());
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  #write(page, change) {
    page.writes.add(change);
    return this.#later(page, () => {
      page.writes.delete(change);
      if (this.mode !== "ok") throw new Error("quota");
      change();
    });
  }
}

/** One life of a tablet's page: `main.js` without its screens but the header. */
class Page {
  writes = new Set();
  isAlive = true;
  #shown = "";
  #isForgotten = false;

  constructor(world, disk) {
    [this.world, this.disk, this.document] = [world, disk, new Drawing()];
    const monotonic = () => world.now - world.start;
    const wall = () => world.now + disk.skew;
    const { random } = world;
    const storage = disk.drawers(this);
    this.storage = storage;
    this.tablet = new Tablet({
      clock: new Clock(monotonic), storage, wall, monotonic, random,
      later: (call, ms) => world.later(this, ms, call),
      send: (text) => this.connection.send(text),
      post: (texts) => world.post(this, texts),
      greet: () => this.connection.greet(),
      changed: () => {},
      fetchPaper: async () => paper,
    });
    this.connection = new Connection({
      open: () => world.open(this),
      timers: { set: (call, ms) => world.later(this, ms, call), clear: (timer) => world.cancel(timer) },
      monotonic, wall, random,
      question: () => 0,
      waiting: () => this.tablet.waiting ?? 0,
      onFrame: (frame, sentAt) => {
        this.tablet.receive(frame, sentAt).catch(() => {}); // a page whose storage fails goes on with the next frame
      },
      onLink: (link, reason) => this.tablet.becomes(link, reason),
    });
    this.enter();
    this.header = new Header(this.tablet, () => {});
    this.connection.start();
  }

  /** Make this page the one whose clock and document are read. */
  enter() {
    today = () => this.world.now + this.disk.skew;
    globalThis.document = this.document;
  }

  act({ kind, q, value, force }) {
    const { tablet } = this;
    if (!tablet.outbox) return;
    if (!force && (screenOf(tablet, false) !== "question" || (q && !tablet.isOpen(q)))) return;
    tablet.act(kind, q, value).catch(() => {});
  }

  render() {
    const { tablet } = this;
    if (!tablet.outbox) return;
    this.enter();
    this.header.render();
    const { base, waiting } = tablet.outbox;
    const screen = {
      saved: this.document.getElementById("save").dataset.tone === "ok" && !tablet.ending,
      waiting, status: tablet.status, link: tablet.link, ending: tablet.ending?.code ?? null,
      end: tablet.remaining === null ? null : Math.round((tablet.remaining + this.world.now) / 50) * 50,
      durable: tablet.outbox.isDurable, seq: base.seq, digest: base.digest, receipt: receiptCode(base.digest),
    };
    const text = JSON.stringify(screen);
    if (text !== this.#shown) this.world.say({ k: "screen", p: this.disk.name, x: screen });
    this.#shown = text;
    const isOver = ["SUBMITTED", "CLOSED"].includes(tablet.status) && !tablet.ending && !waiting;
    if (isOver && !this.#isForgotten) {
      this.#isForgotten = true;
      this.storage.clear().catch(() => {});
    }
  }
}

class World {
  timers = [];
  said = [];
  disks = new Map();
  pages = new Map();
  sockets = new Map();
  posts = new Map();
  #count = 0;

  constructor({ seed, t }) {
    this.random = dice(seed);
    this.now = this.start = t;
  }

  say(what) {
    this.said.push(what);
  }

  later(page, ms, call) {
    const timer = { at: this.now + Math.max(0, Math.ceil(ms)), order: this.#count++, page, call };
    this.timers.push(timer);
    return timer;
  }

  cancel(timer) {
    const index = this.timers.indexOf(timer);
    if (index >= 0) this.timers.splice(index, 1);
  }

  open(page) {
    const number = this.#count++;
    const socket = {
      readyState: 0, page,
      send: (text) => page.isAlive && this.say({ k: "send", n: number, x: text }),
      close: () => {
        if (this.sockets.delete(number)) this.say({ k: "close", n: number });
      },
    };
    this.sockets.set(number, socket);
    this.say({ k: "open", p: page.disk.name, n: number });
    return socket;
  }

  post(page, texts) {
    const number = this.#count++;
    this.say({ k: "post", p: page.disk.name, n: number, x: texts });
    return new Promise((resolve, reject) => this.posts.set(number, { page, resolve, reject }));
  }

  async step({ t, e }) {
    for (let timer = this.#due(t); timer; timer = this.#due(t)) {
      this.cancel(timer);
      this.now = timer.at;
      timer.page.enter();
      timer.call();
      await drained();
      timer.page.render();
      if (this.said.length) return this.#reply(false);
    }
    this.now = t;
    if (e) {
      const page = this.#do(e);
      await drained();
      if (page?.isAlive) page.render();
    }
    return this.#reply(true);
  }

  #due(t) {
    let first = null;
    for (const timer of this.timers) {
      if (timer.at <= t && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))) first = timer;
    }
    return first;
  }

  #reply(done) {
    const said = this.said;
    this.said = [];
    const next = this.timers.reduce((soonest, { at }) => Math.min(soonest, at), Number.MAX_SAFE_INTEGER);
    return { t: this.now, d: done, o: said, n: next };
  }

  #do(e) {
    return this.#deeds[e.k](e);
  }

  #disk(name) {
    if (!this.disks.has(name)) this.disks.set(name, new Disk(this, name));
    return this.disks.get(name);
  }

  #deeds = {
    boot: ({ p, skew }) => {
      const disk = this.#disk(p);
      disk.skew = skew;
      this.#end(p);
      this.say({ k: "boot", p, x: disk.base ? disk.ops.map(keyOf) : [] });
      const page = new Page(this, disk);
      this.pages.set(p, page);
      return page;
    },
    die: ({ p }) => this.#end(p),
    act: (e) => {
      const page = this.pages.get(e.p);
      page?.enter();
      page?.act(e);
      return page;
    },
    wake: ({ p }) => {
      const page = this.pages.get(p);
      page?.enter();
      page?.connection.wake();
      return page;
    },
    disk: ({ p, mode }) => {
      const disk = this.#disk(p);
      if (mode === "wipe") disk.wipe();
      else if (mode === "corrupt") disk.corrupt();
      else disk.mode = mode;
    },
    clock: ({ p, skew }) => {
      this.#disk(p).skew = skew;
    },
    opened: ({ n }) => this.#at(n, (socket) => {
      socket.readyState = 1;
      socket.onopen?.();
    }),
    frame: ({ n, x }) => this.#at(n, (socket) => socket.onmessage?.({ data: x })),
    closed: ({ n, code }) => this.#at(n, (socket) => {
      this.sockets.delete(n);
      socket.readyState = 3;
      socket.onclose?.({ code });
    }),
    answer: ({ n, status, frames }) => {
      const post = this.posts.get(n);
      if (!post?.page.isAlive) return null;
      if (status) post.resolve({ status, frames });
      else post.reject(new Error("no network"));
      return post.page;
    },
  };

  #at(number, call) {
    const socket = this.sockets.get(number);
    if (!socket?.page.isAlive) return null;
    socket.page.enter();
    call(socket);
    return socket.page;
  }

  #end(name) {
    const page = this.pages.get(name);
    if (!page) return;
    page.isAlive = false;
    page.disk.abandon(page);
    this.pages.delete(name);
    this.timers = this.timers.filter((timer) => timer.page !== page);
    for (const [number, socket] of this.sockets) {
      if (socket.page === page && this.sockets.delete(number)) this.say({ k: "close", n: number });
    }
  }
}

let paper = null;
const worlds = new Map();

async function answer({ s, ...asked }) {
  if (asked.begin) worlds.set(s, new World(asked.begin));
  if (asked.end) return worlds.delete(s);
  return worlds.get(s).step(asked);
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.paper) {
    paper = Uint8Array.from(Buffer.from(asked.paper, "base64")).buffer;
    continue;
  }
  const answers = [];
  for (const one of asked) answers.push(await answer(one));
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
