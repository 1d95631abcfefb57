// The tablets' side of the simulation: real `static/js/exam` modules, with an injected clock, network, storage, digest and dice.
// One JSON line in, an array of steps of many worlds; one JSON line out, what each of them did. `simulator.md` has the commands.

import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const ROOT = pathToFileURL(`${process.argv[2]}/`).href;
const load = (name) => import(`${ROOT}${name}.js`);
const { Tablet } = await load("tablet");
const { Connection } = await load("connection");
const { Ways } = await load("ways");
const { FramesSocket, poster } = await load("frames");
const { Keeper } = await load("keeper");
const { keptFold, keptOps, keptSession } = await load("kept");
const { Clock } = await load("clock");
const { Header } = await load("header");
const { screenOf } = await load("screens");
const { receiptCode } = await load("chain");

const SHAPE = ["kind", "q", "value", "at"];
const PATIENCE_MS = 3_000;
const TICK_MS = 250;
const STORE_AGAIN_MS = 10_000;
const keyOf = (op) => SHAPE.map((name) => op[name]).join("|");
const drained = () => new Promise((resolve) => setImmediate(resolve));

// Nothing of the machine: a digest without threads, so that promises settle in the same order each time.
const digest = async (_name, bytes) => new Uint8Array(createHash("sha256").update(bytes).digest());
Object.defineProperty(globalThis, "crypto", { value: { subtle: { digest } } });
/** @type {Page} whose clock, document and network are the machine's now */
let active = null;
Date.now = () => active.wall();
Date.prototype.toLocaleTimeString = () => "00:00:00";
AbortSignal.timeout = (ms) => {
  const given = new AbortController();
  active.world.later(active, ms, () => given.abort());
  return given.signal;
};
globalThis.fetch = (_url, asked) => active.world.fetch(active, asked);

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
  ops = new Map();
  row = null;
  mode = "ok";
  skew = 0;
  /** @type {(() => void)[]} writes that a disk which hangs has taken, and not done */ #hung = [];
  #seen = new Set();
  #kept = new Set();

  constructor(world, name) {
    [this.world, this.name] = [world, name];
  }

  /** @param {Page} page */
  drawers(page) {
    const store = {
      load: () => this.#read(page, () => {
        const [base, ops] = [keptFold(structuredClone(this.base)), keptOps(structuredClone([...this.ops.values()]))];
        return base || ops.length ? { base, ops } : null;
      }),
      append: (op) => {
        this.hear(op);
        return this.#write(page, () => {
          if (!this.base) throw new Error("nothing to add to");
          this.ops.set(op.seq, structuredClone(op));
          this.#keep();
        });
      },
      replace: (base, ops) => {
        ops.forEach((op) => this.hear(op));
        const rows = structuredClone([base, ops]);
        return this.#write(page, () => {
          this.base = rows[0];
          this.ops = new Map(rows[1].map((op) => [op.seq, op]));
          this.#keep();
        });
      },
    };
    return {
      sheet: async (key) => {
        if (this.key !== key) this.wipe();
        this.key = key;
        return store;
      },
      clear: () => this.#write(page, () => this.wipe()),
      session: (key) => this.#read(page, () => keptSession(structuredClone(this.row), key)),
      keepSession: (row) => {
        const copy = JSON.parse(JSON.stringify(row));
        return this.#write(page, () => {
          this.row = copy;
        });
      },
      keepPaper: async () => {},
    };
  }

  /** What a page that starts would find. */
  get acts() {
    return keptOps([...this.ops.values()]).map(keyOf);
  }

  become(mode) {
    this.mode = mode;
    for (const change of this.#hung.splice(0)) if (mode === "ok") attempt(change);
  }

  wipe() {
    [this.base, this.row] = [null, null];
    this.ops.clear();
    this.#kept.clear();
  }

  /** One row whose digest is not its own any more, or that cannot be read at all. @param {boolean} isReadable */
  corrupt(isReadable) {
    const victim = this.ops.values().next().value ?? this.base;
    if (!victim) return;
    victim.digest = isReadable ? "0".repeat(64) : null;
    if (!isReadable) this.#keep();
  }

  /** Writes under way when the page dies: done or not, nobody knows. */
  abandon(page) {
    for (const change of page.writes) if (this.mode === "ok" && this.world.random() < 0.5) attempt(change);
  }

  /** The candidate did this. */
  hear(op) {
    const key = keyOf(op);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.world.say({ k: "op", p: this.name, o: key });
  }

  #keep() {
    const here = new Set(this.acts);
    for (const key of here) if (!this.#kept.has(key)) this.world.say({ k: "kept", p: this.name, o: key });
    this.#kept = here;
  }

  #later(page, ms, call) {
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

  get #ms() {
    return 1 + Math.floor(this.world.random() * 12);
  }

  #read(page, call) {
    return this.mode === "hang" ? this.#late(page) : this.#later(page, this.#ms, call);
  }

  #late(page) {
    return this.#later(page, PATIENCE_MS, () => {
      throw new Error("the storage does not answer");
    });
  }

  #write(page, change) {
    if (this.mode === "hang") {
      this.#hung.push(change);
      return this.#late(page);
    }
    page.writes.add(change);
    return this.#later(page, this.#ms, () => {
      page.writes.delete(change);
      if (this.mode === "full") throw new Error("quota");
      change();
    });
  }
}

/** A write that may have nothing to add to. */
function attempt(change) {
  try {
    change();
  } catch {
    // then it adds nothing
  }
}

/** A WebSocket as the world carries it. */
class Socket {
  readyState = 0;
  onopen = null;
  onmessage = null;
  onclose = null;
  #listeners = [];

  constructor(world, page, number) {
    [this.world, this.page, this.number] = [world, page, number];
  }

  addEventListener(type, call) {
    this.#listeners.push({ type, call });
  }

  send(text) {
    this.page.tell();
    if (this.readyState === 1 && this.page.isAlive) this.world.say({ k: "send", n: this.number, x: text });
  }

  close() {
    this.readyState = 3;
    if (this.world.sockets.delete(this.number)) this.world.say({ k: "close", n: this.number });
  }

  tell(type, event) {
    this[`on${type}`]?.(event);
    for (const listener of this.#listeners) if (listener.type === type) listener.call(event);
  }
}

/** One life of a tablet's page: `main.js` without its screens but the header. */
class Page {
  writes = new Set();
  isAlive = true;
  isAsleep = false;
  /** @type {object[]} what came while it slept */ inbox = [];
  /** @type {number} ms during which its monotonic clock stood still */ stopped = 0;
  /** @type {number} when it was last drawn; what has changed is drawn at once */ drawnAt = -TICK_MS;
  #shown = "";
  #isForgotten = false;

  constructor(world, disk, key) {
    [this.world, this.disk, this.document] = [world, disk, new Drawing()];
    this.enter();
    const monotonic = () => world.now - world.start - this.stopped;
    const wall = () => this.wall();
    const { random } = world;
    const storage = disk.drawers(this);
    const later = (call, ms) => world.later(this, ms, call);
    const timers = { set: later, clear: (timer) => world.cancel(timer) };
    const clock = new Clock(monotonic, wall);
    const skew = () => clock.skew;
    const post = poster({ wall, skew });
    const tablet = new Tablet({
      clock, storage, wall, monotonic, random, later,
      send: (text) => this.connection.send(text),
      post,
      greet: () => this.connection.greet(),
      changed: () => {
        this.drawnAt = -TICK_MS;
      },
      fetchPaper: async () => paper,
    });
    const ways = new Ways({
      socket: () => world.open(this),
      frames: () => new FramesSocket({ post, timers, random }),
      timers, wall, random,
      better: () => this.connection.start(),
    });
    this.connection = new Connection({
      open: () => ways.open(),
      timers, monotonic, wall, random, skew,
      question: () => 0,
      waiting: () => tablet.waiting,
      onFrame: (frame, sentAt) => {
        tablet.isByHttp = ways.isHttp;
        tablet.receive(frame, sentAt).catch(() => {}); // a page whose storage fails goes on with the next frame
      },
      onLink: (link, reason) => tablet.becomes(link, reason),
    });
    Object.assign(this, { storage, tablet, header: new Header(tablet, () => {}) });
    this.keeper = new Keeper({ save: (row) => storage.keepSession(row), monotonic, wall });
    tablet.resume(key).catch(() => {});
    const again = () => {
      later(again, STORE_AGAIN_MS);
      if (tablet.outbox?.isDurable === false) tablet.persist();
    };
    later(again, STORE_AGAIN_MS);
    this.connection.start();
  }

  wall() {
    return this.world.now + this.disk.skew;
  }

  /** Make this page the one whose clock, document and network are read. */
  enter() {
    active = this;
    globalThis.document = this.document;
  }

  /** Acts that no storage was asked to keep were done, too. */
  tell() {
    this.tablet.outbox?.pending.forEach((op) => this.disk.hear(op));
  }

  /** What `storage.onlost` does. */
  lose() {
    if (this.#isForgotten) return;
    this.keeper.lose();
    this.tablet.persist().catch(() => {});
  }

  act({ kind, q, value, force }) {
    const { tablet } = this;
    if (!tablet.outbox || this.isAsleep) return;
    if (!force && (screenOf(tablet, false) !== "question" || (q && !tablet.isOpen(q)))) return;
    tablet.act(kind, q, value).catch(() => {});
  }

  render() {
    const { tablet } = this;
    if (!tablet.outbox || this.isAsleep || this.world.now - this.drawnAt < TICK_MS) return;
    this.drawnAt = this.world.now;
    this.enter();
    this.tell();
    this.header.render();
    const { base } = tablet.outbox;
    const screen = {
      saved: this.document.getElementById("save").dataset.tone === "ok" && !tablet.ending,
      waiting: tablet.unsaved, status: tablet.status, link: tablet.link, ending: tablet.ending?.code ?? null,
      end: tablet.remaining === null ? null : Math.round((tablet.remaining + this.world.now) / 50) * 50,
      durable: tablet.outbox.isDurable, read: tablet.outbox.isRead, apart: tablet.quarantined, seq: base.seq, digest: base.digest,
      receipt: receiptCode(base.digest),
    };
    const text = JSON.stringify(screen);
    if (text !== this.#shown) this.world.say({ k: "screen", p: this.disk.name, x: screen });
    this.#shown = text;
    this.keeper.keep(tablet.session, tablet.clock);
    if (tablet.isOver) this.#forget();
  }

  #forget() {
    if (this.#isForgotten) return;
    this.#isForgotten = true;
    this.keeper.end();
    this.tablet.outbox.detach();
    this.storage.clear().catch(() => {});
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
    const socket = new Socket(this, page, number);
    this.sockets.set(number, socket);
    this.say({ k: "open", p: page.disk.name, n: number });
    return socket;
  }

  /** One request of frames, until its answer comes or its page gives it up. */
  fetch(page, { body, signal }) {
    const number = this.#count++;
    page.tell();
    this.say({ k: "post", p: page.disk.name, n: number, x: body });
    return new Promise((resolve, reject) => {
      this.posts.set(number, { page, resolve, reject });
      signal?.addEventListener("abort", () => this.posts.delete(number) && reject(new Error("given up")));
    });
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
      const page = await this.#do(e);
      await drained();
      if (page?.isAlive) page.render();
    }
    return this.#reply(true);
  }

  #due(t) {
    let first = null;
    for (const timer of this.timers) {
      if (timer.page.isAsleep) continue;
      if (timer.at <= t && (!first || timer.at < first.at || (timer.at === first.at && timer.order < first.order))) first = timer;
    }
    return first;
  }

  #reply(done) {
    const said = this.said;
    this.said = [];
    let next = Number.MAX_SAFE_INTEGER;
    for (const { at, page } of this.timers) if (at < next && !page.isAsleep) next = at;
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
    boot: ({ p, skew, key }) => {
      const disk = this.#disk(p);
      disk.skew = skew;
      this.#end(p);
      this.say({ k: "boot", p, x: disk.acts });
      const page = new Page(this, disk, key);
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
    sleep: ({ p }) => {
      const page = this.pages.get(p);
      if (page) [page.isAsleep, page.asleepAt] = [true, this.now];
    },
    wake: async ({ p, stops }) => {
      const page = this.pages.get(p);
      if (!page?.isAsleep) return page;
      page.isAsleep = false;
      if (stops) page.stopped += this.now - page.asleepAt;
      page.enter();
      for (const e of page.inbox.splice(0)) {
        this.#do(e);
        await drained();
      }
      page.connection.wake();
      return page;
    },
    disk: ({ p, mode }) => {
      const [disk, page] = [this.#disk(p), this.pages.get(p)];
      if (mode === "wipe") {
        disk.wipe();
        page?.enter();
        page?.lose();
      } else if (mode === "corrupt" || mode === "spoil") disk.corrupt(mode === "corrupt");
      else disk.become(mode);
    },
    clock: ({ p, skew }) => {
      this.#disk(p).skew = skew;
    },
    opened: (e) => this.#at(this.sockets.get(e.n), e, (socket) => {
      socket.readyState = 1;
      socket.tell("open");
    }),
    frame: (e) => this.#at(this.sockets.get(e.n), e, (socket) => socket.tell("message", { data: e.x })),
    closed: (e) => this.#at(this.sockets.get(e.n), e, (socket) => {
      this.sockets.delete(e.n);
      socket.readyState = 3;
      socket.tell("close", { code: e.code });
    }),
    answer: (e) => this.#at(this.posts.get(e.n), e, (post) => {
      this.posts.delete(e.n);
      if (e.status) post.resolve({ status: e.status, json: async () => e.frames });
      else post.reject(new Error("no network"));
      if (e.status) this.say({ k: "got", p: post.page.disk.name, x: e.frames });
    }),
  };

  #at(end, event, call) {
    if (!end?.page.isAlive) return null;
    if (end.page.isAsleep) {
      end.page.inbox.push(event);
      return null;
    }
    end.page.enter();
    call(end);
    return end.page;
  }

  #end(name) {
    const page = this.pages.get(name);
    if (!page) return;
    page.isAlive = false;
    page.disk.abandon(page);
    this.pages.delete(name);
    this.timers = this.timers.filter((timer) => timer.page !== page);
    for (const [number, post] of this.posts) if (post.page === page) this.posts.delete(number);
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
