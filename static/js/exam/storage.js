// IndexedDB in three drawers: the sheet's acknowledged fold, its ops without acknowledgement, the sealed paper.
// A tablet keeps one sheet: opening another one clears what the last left.

/** @typedef {import("./outbox.js").Store} Store */

const NAME = "ecni-copie";
const VERSION = 1;
const DRAWERS = ["sheets", "ops", "papers"];

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
  request.onupgradeneeded = () => DRAWERS.forEach((name) => request.result.createObjectStore(name));
  return done(request);
}

export class Storage {
  /** @type {Promise<IDBDatabase>} */ #database;

  /** @param {IDBFactory} factory */
  constructor(factory) {
    this.#database = opened(factory);
    this.#database.catch(() => {}); // each use says so again
  }

  /** Writes, in one transaction that is on disk when the promise resolves. @param {(drawer: (name: string) => IDBObjectStore) => void} write */
  async #write(write) {
    const database = await this.#database;
    const transaction = database.transaction(DRAWERS, "readwrite", { durability: "strict" });
    write((name) => transaction.objectStore(name));
    await committed(transaction);
  }

  async #read(name, call) {
    const database = await this.#database;
    return done(call(database.transaction(name).objectStore(name)));
  }

  /** The drawers of one sheet; those of any other are emptied. @param {string} key @returns {Promise<Store>} */
  async sheet(key) {
    const kept = await this.#read("sheets", (sheets) => sheets.getAllKeys()).catch(() => []);
    if (kept.some((other) => other !== key)) await this.clear();
    return {
      load: async () => {
        const base = await this.#read("sheets", (sheets) => sheets.get(key));
        const ops = await this.#read("ops", (drawer) => drawer.getAll());
        return base ? { base, ops } : null;
      },
      append: (op) => this.#write((drawer) => drawer("ops").put(op, op.seq)),
      replace: (base, ops) =>
        this.#write((drawer) => {
          drawer("sheets").put(base, key);
          drawer("ops").clear();
          for (const op of ops) drawer("ops").put(op, op.seq);
        }),
    };
  }

  /** Forget the sheet, never the paper. */
  clear() {
    return this.#write((drawer) => ["sheets", "ops"].forEach((name) => drawer(name).clear()));
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
