// Where the candidate is: which questions are readable, what each one's state is, what is left. Pure.

/**
 * @typedef {import("./paper.js").Entry} Entry
 * @typedef {import("./fold.js").Fold} Fold
 * @typedef {"new" | "seen" | "answered" | "locked" | "closed"} CellState
 * @typedef {{number: number, state: CellState, flagged: boolean, label: string}} Cell
 * @typedef {{title: string, progressive: boolean, cells: Cell[]}} Group
 */

const WORDS = {
  new: "non vue", seen: "vue, sans réponse", answered: "répondue", locked: "validée, verrouillée",
  closed: "pas encore ouverte",
};

/** What a unit is called by its kind of case; progressive cases are numbered together. */
const FAMILIES = {
  DP: ["Dossier", "D"], MINI_DP: ["Dossier", "D"], KFP: ["Dossier", "D"], LCA: ["Lecture critique", "L"], TCS: ["Concordance", "C"],
};

/** Whether the question before it in its case, if any, is final. @param {Entry} entry @param {Fold} fold */
export const isReadable = (entry, fold) => entry.previous === 0 || fold.sealed.includes(entry.previous);

/** @param {Entry} entry @param {Fold} fold @param {Set<number>} seen @returns {CellState} */
export function stateOf(entry, fold, seen) {
  if (fold.sealed.includes(entry.number)) return "locked";
  if (!isReadable(entry, fold)) return "closed";
  if (fold.answers[entry.number]) return "answered";
  return seen.has(entry.number) ? "seen" : "new";
}

/** @param {Entry} entry @param {Fold} fold @param {Set<number>} seen @returns {Cell} */
function cell(entry, fold, seen) {
  const state = stateOf(entry, fold, seen);
  const flagged = fold.flags.includes(entry.number);
  const label = `Question ${entry.number}, ${WORDS[state]}${flagged ? ", signalée" : ""}`;
  return { number: entry.number, state, flagged, label };
}

/**
 * What binds a question to its neighbours, in words.
 * @param {Iterable<Entry>} entries @returns {Map<number, {title: string, short: string}>} by unit; isolated questions share one title
 */
export function unitTitles(entries) {
  const titles = new Map();
  /** @type {Record<string, number>} */ const counts = {};
  for (const { unit, case: kind } of entries) {
    if (titles.has(unit)) continue;
    const [word, letter] = FAMILIES[kind] ?? [];
    if (!word) titles.set(unit, { title: "Questions isolées", short: "" });
    else {
      counts[word] = (counts[word] ?? 0) + 1;
      titles.set(unit, { title: `${word} ${counts[word]}`, short: `${letter}${counts[word]}` });
    }
  }
  return titles;
}

/**
 * The navigator: neighbours under one title, in the paper's order.
 * @param {Map<number, Entry>} entries @param {Fold} fold @param {Set<number>} seen @returns {Group[]}
 */
export function groups(entries, fold, seen) {
  const titles = unitTitles(entries.values());
  /** @type {Group[]} */ const found = [];
  for (const entry of entries.values()) {
    const { title } = titles.get(entry.unit);
    if (found.at(-1)?.title !== title) found.push({ title, progressive: entry.progressive, cells: [] });
    found.at(-1).cells.push(cell(entry, fold, seen));
  }
  return found;
}

/** Counts of the navigator and of the review. @param {Cell[]} cells @param {Fold} fold */
export function counts(cells, fold) {
  const of = (state) => cells.filter((one) => one.state === state).length;
  return {
    total: cells.length,
    answered: cells.filter((one) => fold.answers[one.number]).length,
    open: of("answered"), seen: of("seen"), unseen: of("new"), locked: of("locked"), closed: of("closed"),
    flagged: cells.filter((one) => one.flagged).length,
  };
}

/** Progressive steps that can no longer be reached or are not final: `closed`, or readable and not sealed. */
export const unsealed = (group) => (group.progressive ? group.cells.filter((one) => one.state !== "locked") : []);

/**
 * The nearest readable question in a direction, or null.
 * @param {Map<number, Entry>} entries @param {Fold} fold @param {number} from @param {1 | -1} step
 */
export function neighbour(entries, fold, from, step) {
  for (let number = from + step; entries.has(number); number += step) {
    if (isReadable(entries.get(number), fold)) return number;
  }
  return null;
}

/** The question that sealing this one opens, or null. @param {Map<number, Entry>} entries @param {number} number */
export const openedBy = (entries, number) => (entries.get(number + 1)?.previous === number ? number + 1 : null);
