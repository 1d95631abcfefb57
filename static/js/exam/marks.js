// What a candidate highlights in an article: sentences by their rank, kept on the tablet and never sent. One sheet's at a time.

const KEY = "ecni.highlights";

/** The ranks at which sentences begin in a text. @param {string} text @returns {number[]} */
export function sentenceStarts(text) {
  const starts = [0];
  for (const { index, 0: gap } of text.matchAll(/(?<=[.!?…][»)\]]?)\s+(?=[\p{Lu}«(])/gu)) starts.push(index + gap.length);
  return starts;
}

/** @param {number[]} marks sorted ranks @param {number} rank */
export const toggled = (marks, rank) =>
  marks.includes(rank) ? marks.filter((other) => other !== rank) : [...marks, rank].sort((one, two) => one - two);

/** Forget the highlights of every sheet but one. @param {Storage} store of the page @param {string | null} owner the sheet, or none */
export function keepOnly(store, owner) {
  try {
    if (read(store)?.owner !== owner) store.removeItem(KEY);
  } catch {
    // a forbidden storage holds none
  }
}

/** The highlights of one sheet. */
export class Marks {
  #store;
  #owner;
  /** @type {Record<string, number[]>} by unit */ #units;

  /** @param {Storage} store of the page @param {string} owner the sheet */
  constructor(store, owner) {
    [this.#store, this.#owner] = [store, owner];
    keepOnly(store, owner);
    this.#units = read(store)?.units ?? {};
  }

  /** @param {number} unit @returns {number[]} */
  of(unit) {
    return this.#units[unit] ?? [];
  }

  /** @param {number} unit @param {number} rank of a sentence */
  toggle(unit, rank) {
    this.#units = { ...this.#units, [unit]: toggled(this.of(unit), rank) };
    try {
      this.#store.setItem(KEY, JSON.stringify({ owner: this.#owner, units: this.#units }));
    } catch {
      // a full or forbidden storage: the highlights last as long as the page
    }
  }
}

/** @param {Storage} store */
function read(store) {
  try {
    const kept = JSON.parse(store.getItem(KEY));
    return typeof kept?.owner === "string" && typeof kept.units === "object" ? kept : null;
  } catch {
    return null;
  }
}
