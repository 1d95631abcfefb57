// The sealed paper and the keys received so far: which questions can be shown, and their texts.

/**
 * @typedef {import("./paper.js").Paper} Paper
 * @typedef {import("./paper.js").Step} Step
 */

export class Reader {
  /** @type {Paper | null} */ paper = null;
  /** @type {Map<number, string>} base64 by question; 0 is the opening key */ #received = new Map();
  /** @type {Map<number, string>} those that the opening key gave, too */ #keys = new Map();
  /** @type {Map<number, Promise<Step>>} */ #steps = new Map();

  /** @param {Record<string, string>} [keys] */
  learn(keys = {}) {
    for (const [number, key] of Object.entries(keys)) {
      this.#received.set(Number(number), key);
      this.#keys.set(Number(number), key);
    }
  }

  /** The keys received. @returns {Record<string, string>} */
  get keys() {
    return Object.fromEntries(this.#received);
  }

  /** Whether the key of a question has arrived. @param {number} number */
  holds(number) {
    const entry = this.paper?.entries.get(number);
    return entry !== undefined && this.#keys.has(entry.previous === 0 ? 0 : number);
  }

  /** The text of a question whose key is here. @param {number} number @returns {Promise<Step>} */
  step(number) {
    if (!this.#steps.has(number)) {
      const step = this.#deciphered(number);
      step.catch(() => this.#steps.delete(number));
      this.#steps.set(number, step);
    }
    return this.#steps.get(number);
  }

  async #deciphered(number) {
    if (!this.#keys.has(number)) {
      const given = await this.paper.opening(this.#keys.get(0));
      for (const [one, key] of Object.entries(given)) this.#keys.set(Number(one), key);
    }
    return this.paper.step(number, this.#keys.get(number));
  }
}
