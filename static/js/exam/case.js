// The left of a case: its story, then each validated step, folded, locked, with the candidate's own answer.

import { element, icon } from "../lib/dom.js";
import { fragment } from "./fragments.js";
import { KINDS } from "./kinds/index.js";

/** The answer in words, to be read again. @param {string} kind @param {HTMLElement} form @param {string} value @returns {HTMLElement[]} */
export function chosen(kind, form, value) {
  const lines = KINDS[kind].chosen(form, value);
  if (!lines.length) return [element("li", {}, "Sans réponse")];
  return lines.map(([mark, text]) => element("li", {}, ...(mark ? [element("b", {}, `${mark} `)] : []), text));
}

/** @param {import("./tablet.js").Tablet} tablet @param {import("./paper.js").Entry} entry @param {Function} enlarge */
async function sealedStep(tablet, entry, enlarge) {
  const { html, media } = await tablet.step(entry.number);
  const form = fragment(html, entry.number, media, enlarge);
  const value = tablet.fold.answers[entry.number] ?? "";
  const story = [...form.querySelectorAll(".vignette, .figure")];
  const answer = element("span", { class: "soft small" }, "Votre réponse : ", element("b", {}, KINDS[entry.kind].summary(value)));
  return element("div", { class: "step" },
    element("span", { class: "margin" }, String(entry.position), " ", icon("lock")),
    element("details", {},
      element("summary", {}, element("span", {}, form.querySelector(".stem").textContent), answer, icon("chevron")),
      element("div", { class: "stack tight" }, ...story, element("ul", { class: "stack tight" }, ...chosen(entry.kind, form, value)),
        element("p", { class: "soft small" }, `${entry.kind} · validée, elle ne peut plus être modifiée.`))));
}

/**
 * The story of the unit of `entry` with its validated steps before it, or null when it has none.
 * @param {import("./tablet.js").Tablet} tablet @param {import("./paper.js").Entry} entry @param {(image: HTMLImageElement) => void} enlarge
 * @returns {Promise<HTMLElement | null>}
 */
export async function caseColumn(tablet, entry, enlarge) {
  const mates = [...tablet.paper.entries.values()].filter(({ unit }) => unit === entry.unit);
  const { vignette, media } = await tablet.step(mates[0].number);
  if (!vignette) return null;
  const column = fragment(vignette, mates[0].number, media, enlarge);
  const before = mates.filter(({ number }) => number < entry.number && tablet.fold.sealed.includes(number));
  column.append(...(await Promise.all(before.map((mate) => sealedStep(tablet, mate, enlarge)))));
  return column;
}
