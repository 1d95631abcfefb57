// The article of a critical reading, beside its questions: its sections, the size of its text, sentences highlighted by a touch or a key.

import { element, icon } from "../lib/dom.js";
import { sentenceStarts } from "./marks.js";

const BLOCKS = "h1, h2, h3, p, li, th, td, figcaption";
const SIZES = ["100", "115", "130", "150", "175", "200"];

/**
 * @param {HTMLElement} article @param {number} unit
 * @param {import("./marks.js").Marks} marks
 * @returns {HTMLElement} a section that keeps its scroll, its size and its highlights
 */
export function articleSection(article, unit, marks) {
  const sentences = [...article.querySelectorAll(BLOCKS)].filter((block) => !block.querySelector(BLOCKS)).flatMap(cut);
  const section = element("section", { "aria-label": "Article", tabindex: "0" }, toolbar(article, sentences), article);
  for (const figure of article.querySelectorAll("figure")) figure.tabIndex = 0; // wide tables scroll in their own frame
  watchMarks(article, sentences, unit, marks);
  return section;
}

/** Wrap each sentence of a block in a span; what is not plain text stays whole. @param {HTMLElement} block */
function cut(block) {
  const spans = [];
  let span = null;
  for (const node of [...block.childNodes]) {
    const pieces = node.nodeType === Node.TEXT_NODE ? split(node.data) : [node];
    pieces.forEach((piece, index) => {
      if (!span || index > 0) spans.push((span = element("span", { class: "sentence" })));
      span.append(piece);
    });
  }
  const told = spans.filter((one) => one.textContent.trim());
  block.replaceChildren(...spans);
  return told;
}

function split(text) {
  const starts = sentenceStarts(text);
  return starts.map((start, index) => text.slice(start, starts[index + 1]));
}

function toolbar(article, sentences) {
  const size = (step) => () => {
    const at = SIZES.indexOf(article.dataset.text ?? SIZES[0]) + step;
    article.dataset.text = SIZES[Math.min(SIZES.length - 1, Math.max(0, at))];
  };
  const button = (name, label, click) =>
    element("button", { class: "button", "data-kind": "quiet", type: "button", "aria-label": label, click }, icon(name));
  const highlight = element("button", { class: "button", "data-kind": "quiet", type: "button", "aria-pressed": "false" }, icon("highlight"), "Surligner");
  highlight.addEventListener("click", () => {
    const isOn = article.toggleAttribute("data-marking");
    highlight.setAttribute("aria-pressed", String(isOn));
    sentences.forEach((sentence, rank) => arm(sentence, isOn, rank === 0));
  });
  return element("div", { class: "toolbar" },
    button("zoom-out", "Réduire le texte de l’article", size(-1)), button("zoom-in", "Agrandir le texte de l’article", size(1)),
    highlight, sections(article));
}

/** While highlighting, each sentence is a button; one Tab reaches them, arrows walk them. */
function arm(sentence, isOn, isFirst) {
  if (isOn) {
    sentence.setAttribute("role", "button");
    sentence.setAttribute("aria-pressed", String(sentence.hasAttribute("data-marked")));
    sentence.tabIndex = isFirst ? 0 : -1;
    return;
  }
  for (const name of ["role", "aria-pressed", "tabindex"]) sentence.removeAttribute(name);
}

function sections(article) {
  const list = element("details", { class: "sections" }, element("summary", { class: "button", "data-kind": "quiet" }, icon("list"), "Sections"));
  const go = (heading) => () => {
    list.open = false;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    heading.scrollIntoView();
  };
  const links = [...article.querySelectorAll("h1, h2, h3")].map((heading) =>
    element("li", { "data-level": heading.tagName.slice(1) },
      element("button", { class: "button", "data-kind": "quiet", type: "button", click: go(heading) }, heading.textContent)));
  list.append(element("ul", {}, ...links));
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !list.open) return;
    list.open = false;
    list.querySelector("summary").focus();
  });
  return list;
}

function watchMarks(article, sentences, unit, marks) {
  for (const rank of marks.of(unit)) sentences[rank]?.toggleAttribute("data-marked", true);
  const toggle = (sentence) => {
    marks.toggle(unit, sentences.indexOf(sentence));
    sentence.setAttribute("aria-pressed", String(sentence.toggleAttribute("data-marked")));
  };
  const reached = ({ target }) => (article.hasAttribute("data-marking") ? target.closest(".sentence[role]") : null);
  article.addEventListener("click", (event) => {
    const sentence = reached(event);
    if (sentence) toggle(sentence);
  });
  article.addEventListener("keydown", (event) => {
    const sentence = reached(event);
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!sentence || !(step || event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    if (!step) return toggle(sentence);
    const next = sentences[sentences.indexOf(sentence) + step];
    if (!next) return;
    [sentence.tabIndex, next.tabIndex] = [-1, 0];
    next.focus();
  });
}
