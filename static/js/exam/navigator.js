// Every question as a cell: shape first, then colour, then words.

import { byId, element, icon, refresh } from "../lib/dom.js";
import { counts, groups } from "./progress.js";

const LEGEND = [
  ["answered", "Répondues", (count) => count.open],
  ["seen", "Vues, sans réponse", (count) => count.seen],
  [null, "Non vues", (count) => count.unseen],
  ["flagged", "Signalées", (count) => count.flagged],
  ["locked", "Verrouillées", (count) => count.locked + count.closed],
];
const FILTERS = {
  all: () => true,
  todo: ({ state }) => state === "new" || state === "seen",
  flagged: ({ flagged }) => flagged,
};

/**
 * @param {import("./progress.js").Cell} cell @param {boolean} isCurrent @param {(number: number) => void} go
 */
export function cellButton({ number, state, flagged, label }, isCurrent, go) {
  const isClosed = state === "closed";
  const attributes = {
    class: "cell", type: "button", "data-state": state === "new" ? null : state, "data-flag": flagged,
    "aria-label": label, "aria-current": isCurrent ? "true" : null, "aria-disabled": isClosed ? "true" : null,
    click: () => isClosed || go(number),
  };
  const inside = isClosed ? [icon("lock")] : state === "locked" ? [String(number), icon("lock")] : [String(number)];
  return element("button", attributes, ...inside);
}

function legend(count) {
  return LEGEND.map(([state, word, of]) => {
    const cell = element("span", { class: "cell", "data-state": state === "flagged" ? "seen" : state, "data-flag": state === "flagged" });
    if (state === "locked") cell.append(icon("lock"));
    return element("div", {}, element("dt", {}, cell, word), element("dd", {}, String(of(count))));
  });
}

export class Navigator {
  #tablet;
  #go;
  #open = new Map();

  /** @param {import("./tablet.js").Tablet} tablet @param {(number: number) => void} go */
  constructor(tablet, go) {
    this.#tablet = tablet;
    this.#go = (number) => {
      byId("navigator").hidePopover();
      go(number);
    };
    for (const input of document.querySelectorAll("input[name=show]")) input.addEventListener("change", () => this.render());
  }

  render() {
    const { paper, fold, seen, question } = this.#tablet;
    const all = groups(paper.entries, fold, seen);
    const filter = document.querySelector("input[name=show]:checked").value;
    refresh(byId("legend"), JSON.stringify(all), () => legend(counts(all.flatMap(({ cells }) => cells), fold)));
    refresh(byId("cells"), JSON.stringify([all, question, filter]), () => {
      const shown = all.map((group) => this.#group(group, fold, FILTERS[filter], question)).filter(Boolean);
      return shown.length ? shown : [element("p", { class: "soft small" }, "Aucune question dans ce filtre.")];
    });
  }

  #group({ title, cells }, fold, filter, question) {
    const kept = cells.filter(filter);
    if (!kept.length) return null;
    const answered = cells.filter(({ number }) => fold.answers[number]).length;
    const holdsCurrent = cells.some(({ number }) => number === question);
    const summary = element("summary", {}, title, element("span", { class: "end soft" }, `${answered} sur ${cells.length}`), icon("chevron"));
    const buttons = kept.map((cell) => cellButton(cell, cell.number === question, this.#go));
    const key = `${title}${cells[0].number}`;
    const details = element("details", { open: holdsCurrent || (this.#open.get(key) ?? false) }, summary, element("div", { class: "cells" }, ...buttons));
    details.addEventListener("toggle", () => this.#open.set(key, details.open));
    return details;
  }
}
