// The sealed paper on the tablet: `ecni-paper/1` (docs/papers.md). Reads the header, opens what it is given the keys of.

/**
 * @typedef {{number: number, unit: number, position: number, unit_size: number, case: string | null, kind: string, propositions: number,
 *   progressive: boolean, previous: number, offset: number, length: number}} Entry
 * @typedef {{html: string, vignette: string | null, media: Record<string, {type: string, base64: string}>}} Step
 */

const MAGIC = "ECNIPAP1";
const FORMAT = "ecni-paper/1";
const NONCE_BYTES = 12;
const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

export class PaperUnreadable extends Error {}

export class Paper {
  #bytes;
  #body;
  #header;

  /** @param {ArrayBuffer} buffer the whole file @throws {PaperUnreadable} */
  constructor(buffer) {
    this.#bytes = new Uint8Array(buffer);
    const view = new DataView(buffer);
    if (buffer.byteLength < 12 || decoder.decode(this.#bytes.subarray(0, 8)) !== MAGIC) {
      throw new PaperUnreadable("magic");
    }
    this.#body = 12 + view.getUint32(8);
    if (this.#body > buffer.byteLength) throw new PaperUnreadable("header");
    this.#header = JSON.parse(decoder.decode(this.#bytes.subarray(12, this.#body)));
    if (this.#header.format !== FORMAT) throw new PaperUnreadable("format");
    this.entries = new Map(this.#header.questions.map((entry) => [entry.number, entry]));
  }

  /** The whole file. @type {ArrayBuffer} */
  get buffer() {
    return this.#bytes.buffer;
  }

  /** The questions by number, in order. @type {Map<number, Entry>} */
  entries;

  /**
   * The keys of all that is readable from the start, by question number, in base64.
   * @param {string} key the opening key, base64 @returns {Promise<Record<string, string>>}
   */
  async opening(key) {
    const { keys } = await this.#open(0, this.#header.opening, key);
    return keys;
  }

  /** @param {number} number @param {string} key base64 @returns {Promise<Step>} */
  step(number, key) {
    return this.#open(number, this.entries.get(number), key);
  }

  /** @param {number} number @param {{offset: number, length: number}} place @param {string} key */
  async #open(number, { offset, length }, key) {
    const blob = this.#bytes.subarray(this.#body + offset, this.#body + offset + length);
    const imported = await crypto.subtle.importKey("raw", fromBase64(key), "AES-GCM", false, ["decrypt"]);
    const plain = await crypto.subtle.decrypt(
      {
        name: "AES-GCM",
        iv: blob.subarray(0, NONCE_BYTES),
        additionalData: encoder.encode(`${FORMAT}|${this.#header.paper}|${number}`),
      },
      imported,
      blob.subarray(NONCE_BYTES),
    );
    return JSON.parse(decoder.decode(plain));
  }
}

/** @param {string} text */
export const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
