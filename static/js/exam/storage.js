// IndexedDB in four drawers: the sheet's acknowledged fold, its ops without acknowledgement, what the screen needs beside them,
// the sealed paper. A tablet keeps one sheet: opening another one clears what the last left. A database that cannot be opened,
// several times over, is made anew; one that is closed or emptied under way is opened again, and `onlost` is told.

import { keptFold, keptOps, keptSession } from "./kept.js";

/** @typedef {import("./outbox.js").Store} Store */

const NAME = "ecni-copie";
const VERSION = 2;
const DRAWERS = ["sheets", "ops", "sessions", "papers"];
const OF_ONE_SHEET = ["sheets", "ops", "sessions"];
const SESSION = "last";
const PATIENCE_MS = 3_000;
/** Before each attempt to open: what is in it may not have been sent, and a disk under strain recovers. */
const PAUSES_MS = [0, 100, 400, 1_000];
/** After attempts that all failed: acts wait behind each one, and go on from memory. */
const ONCE = [0];

/** @template T @param {Promise<T>} promise @param {number} [ms] @returns {Promise<T>} a disk that hangs must not hold a candidate */
function within(promise, ms = PATIENCE_MS) {
  let timer;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("the storage does not answer")), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const committed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });

/** @param {IDBFactory} factory @returns {Promise<IDBDatabase>} */
function opened(factory) {
  const request = factory.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    const { result: database } = request;
    for (const name of [...database.objectStoreNames]) database.deleteObjectStore(name);
    for (const name of DRAWERS) database.createObjectStore(name);
  };
  return done(request);
}

/**
 * Opened; when it never is, made anew: what was in it cannot be read, and the server has what it acknowledged. A disk that is
 * full says nothing of what it holds: that is left there.
 * @param {IDBFactory} factory @param {number[]} pauses
 */
async function recovered(factory, pauses) {
  let failure;
  for (const pause of pauses) {
    await new Promise((go) => setTimeout(go, pause));
    try {
      return await opened(factory);
    } catch (error) {
      failure = error;
    }
  }
  if (failure.name === "QuotaExceededError") throw failure;
  await done(factory.deleteDatabase(NAME));
  return opened(factory);
}

export class Storage {
  /** Told when the database was closed under way, by a wipe for instance. */
  onlost = () => {};
  /** @type {Promise<IDBDatabase> | null} */ #database = null;
  #pauses = PAUSES_MS;
  #factory;

  /** @param {IDBFactory} factory */
  constructor(factory) {
    this.#factory = factory;
  }

  /** @returns {Promise<IDBDatabase>} */
  #opened() {
    this.#database ??= recovered(this.#factory, this.#pauses).then(
      (database) => {
        this.#pauses = PAUSES_MS;
        database.onclose = () => this.#lost();
        database.onversionchange = () => {
          database.close();
          this.#lost();
        };
        return database;
      },
      (error) => {
        this.#database = null;
        this.#pauses = ONCE;
        throw error;
      },
    );
    return this.#database;
  }

  #lost() {
    this.#database = null;
    this.onlost();
  }

  /** @param {string | string[]} names @param {IDBTransactionMode} mode @returns {Promise<IDBTransaction>} */
  async #transaction(names, mode) {
    const begun = (database) => database.transaction(names, mode, { durability: "strict" });
    const database = await this.#opened();
    try {
      return begun(database);
    } catch {
      this.#database = null; // closed a moment ago
      return begun(await this.#opened());
    }
  }

  /**
   * Writes, in one transaction that is on disk when the promise resolves.
   * @param {(drawer: (name: string) => IDBObjectStore, transaction: IDBTransaction) => void} write
   */
  #write(write) {
    const written = async () => {
      const transaction = await this.#transaction(DRAWERS, "readwrite");
      const end = committed(transaction);
      try {
        write((name) => transaction.objectStore(name), transaction);
      } catch (error) {
        end.catch(() => {});
        transaction.abort(); // all of it or nothing
        throw error;
      }
      await end;
    };
    return within(written());
  }

  #read(name, call) {
    const read = async () => done(call((await this.#transaction(name, "readonly")).objectStore(name)));
    return within(read());
  }

  /** The drawers of one sheet; those of any other are emptied. @param {string} key @returns {Promise<Store>} */
  async sheet(key) {
    const kept = await this.#keys().catch(() => []);
    if (kept.some((other) => other !== key)) await this.clear().catch(() => {}); // rows name their sheet: none is taken for ours
    const ours = IDBKeyRange.bound([key, 0], [key, Number.MAX_SAFE_INTEGER]);
    return {
      load: async () => {
        const base = keptFold(await this.#read("sheets", (sheets) => sheets.get(key)));
        const ops = keptOps(await this.#read("ops", (drawer) => drawer.getAll(ours)));
        return base || ops.length ? { base, ops } : null;
      },
      append: (op) =>
        this.#write((drawer, transaction) => {
          const marker = drawer("sheets").getKey(key);
          marker.onsuccess = () => (marker.result === undefined ? transaction.abort() : drawer("ops").put(op, [key, op.seq]));
        }),
      replace: (base, ops) =>
        this.#write((drawer) => {
          drawer("sheets").put(base, key);
          drawer("ops").clear();
          for (const op of ops) drawer("ops").put(op, [key, op.seq]);
        }),
    };
  }

  /** The sheet whose acts are here, and how many of them. @returns {Promise<{key: string, waiting: number} | null>} */
  async left() {
    const ops = await this.#read("ops", (drawer) => drawer.getAllKeys());
    return ops.length ? { key: String(ops[0][0]), waiting: ops.length } : null;
  }

  /** The sheets of which something is here. @returns {Promise<unknown[]>} */
  async #keys() {
    const sheets = await this.#read("sheets", (drawer) => drawer.getAllKeys());
    const ops = await this.#read("ops", (drawer) => drawer.getAllKeys());
    return [...sheets, ...ops.map((key) => key[0])];
  }

  /** What the screen of this sheet needs beside its fold, or null. @param {string} key */
  async session(key) {
    return keptSession(await this.#read("sessions", (sessions) => sessions.get(SESSION)), key);
  }

  /** @param {{session: import("./kept.js").Session, mark: import("./kept.js").Mark}} row */
  keepSession(row) {
    return this.#write((drawer) => drawer("sessions").put(row, SESSION));
  }

  /** Forget the sheet, never the paper. */
  clear() {
    return this.#write((drawer) => OF_ONE_SHEET.forEach((name) => drawer(name).clear()));
  }

  /** @param {string} digest @returns {Promise<ArrayBuffer | undefined>} */
  paper(digest) {
    return this.#read("papers", (papers) => papers.get(digest));
  }

  /** Keep this paper and no other. @param {string} digest @param {ArrayBuffer} bytes */
  keepPaper(digest, bytes) {
    return this.#write((drawer) => {
      drawer("papers").clear();
      drawer("papers").put(bytes, digest);
    });
  }
}
