// The question on screen, one at a time, and the bar under it.

import { byId, element } from "../lib/dom.js";
import { articleSection } from "./article.js";
import { awaited } from "./awaited.js";
import { watchAnswer, writeAnswer } from "./answer.js";
import { caseColumn } from "./case.js";
import { fragment } from "./fragments.js";
import { KINDS } from "./kinds/index.js";
import { Marks } from "./marks.js";
import { neighbour } from "./progress.js";
import { toTop } from "./screens.js";
import { enlarge } from "./zoom.js";

export class QuestionView {
  #tablet;
  #drawn = 0;
  #isDrawing = 0;
  /** @type {HTMLElement | null} */ #awaited = null;
  /** @type {Marks | null} */ #marks = null;
  /** @type {{unit: number, section: HTMLElement} | null} the article on screen, kept from one question to the next */ #article = null;
  /** @type {HTMLElement | null} */ form = null;

  /** @param {import("./tablet.js").Tablet} tablet @param {() => void} review */
  constructor(tablet, review) {
    this.#tablet = tablet;
    byId("previous").addEventListener("click", () => this.#move(-1));
    byId("next").addEventListener("click", () => this.#move(1) || review());
    byId("flag-button").addEventListener("click", () => this.#toggleFlag());
    byId("clear").addEventListener("click", () => tablet.act("answer", tablet.question, ""));
  }

  /** Draw the question when it changed, then what the sheet says of it. */
  render() {
    const { question } = this.#tablet;
    if (this.#drawn !== (this.#tablet.isOpen(question) ? question : -question)) this.#draw(question);
    else if (this.form) this.#write();
    else awaited(this.#tablet, this.#awaited);
    this.#renderBar();
  }

  #move(step) {
    const number = neighbour(this.#tablet.paper.entries, this.#tablet.fold, this.#tablet.question, step);
    if (number) this.#tablet.show(number);
    return number !== null;
  }

  #toggleFlag() {
    const { question, fold } = this.#tablet;
    this.#tablet.act("flag", question, fold.flags.includes(question) ? "0" : "1");
  }

  async #draw(number) {
    if (this.#isDrawing === number) return;
    this.#isDrawing = number;
    const isOpen = this.#tablet.isOpen(number);
    this.#awaited = isOpen ? null : awaited(this.#tablet);
    const nodes = isOpen ? await this.#opened(number) : [this.#awaited];
    if (this.#isDrawing !== number) return; // the candidate went on meanwhile
    this.#isDrawing = 0;
    this.#drawn = isOpen ? number : -number; // until its key comes
    const view = byId("question");
    const read = this.#article?.section.scrollTop;
    view.replaceChildren(...nodes);
    if (this.#article?.section.isConnected) this.#article.section.scrollTop = read;
    byId("view").hidden = !view.querySelector(".reader");
    toTop();
    document.title = `Question ${number} · ECNi`;
    this.form = view.querySelector("form");
    if (!this.form) return;
    this.form.tabIndex = -1;
    this.form.focus({ preventScroll: true });
    const { kind, position } = this.#tablet.paper.entries.get(number);
    watchAnswer(this.form, kind, (act, value) => this.#tablet.act(act, number, value));
    if (position > 1) this.form.scrollIntoView();
    this.#write();
  }

  async #opened(number) {
    const entry = this.#tablet.paper.entries.get(number);
    const { html, media } = await this.#tablet.step(number);
    const form = fragment(html, number, media, enlarge);
    if (entry.case === "LCA") {
      const questions = element("section", { "aria-label": "Question", tabindex: "0" }, form);
      return [element("div", { class: "reader" }, await this.#read(entry), questions)];
    }
    const column = await caseColumn(this.#tablet, entry, enlarge);
    return column ? [element("div", { class: "case-split" }, column, form)] : [form];
  }

  /** The article of a critical reading, made once: its scroll, its size and its highlights stay from question to question. */
  async #read(entry) {
    const { sitting, number } = this.#tablet;
    this.#marks ??= new Marks(localStorage, `${sitting.id}|${number}`);
    if (this.#article?.unit !== entry.unit) {
      const article = await caseColumn(this.#tablet, entry, enlarge);
      this.#article = { unit: entry.unit, section: articleSection(article, entry.unit, this.#marks) };
    }
    return this.#article.section;
  }

  #write() {
    const { fold, isComposing, paper } = this.#tablet;
    const number = this.#drawn;
    const { kind } = paper.entries.get(number);
    const isLocked = !isComposing || fold.sealed.includes(number);
    writeAnswer(this.form, kind, { value: fold.answers[number] ?? "", struck: fold.strikes[number] ?? "", isLocked });
  }

  #renderBar() {
    const { question, fold, paper } = this.#tablet;
    const entry = paper.entries.get(question);
    const isFlagged = fold.flags.includes(question);
    const canSeal = entry.progressive && !fold.sealed.includes(question) && this.#tablet.isOpen(question);
    byId("position").querySelector("span").textContent = `${question} sur ${paper.entries.size}`;
    byId("flag-button").setAttribute("aria-pressed", String(isFlagged));
    byId("flag-button").querySelector("span").textContent = isFlagged ? "Signalée" : "Signaler";
    byId("previous").setAttribute("aria-disabled", String(neighbour(paper.entries, fold, question, -1) === null));
    const next = neighbour(paper.entries, fold, question, 1);
    const word = next ? "Suivante" : "Relire et remettre";
    byId("next").querySelector("span").textContent = word;
    byId("next").querySelector("span").className = canSeal ? "wider-only" : "";
    byId("next").setAttribute("aria-label", next ? "Question suivante" : word);
    byId("seal-button").hidden = !canSeal;
    if (canSeal) byId("seal-button").dataset.kind = "primary";
    byId("next").dataset.kind = canSeal ? "plain" : "primary";
    const isClearable = KINDS[entry.kind].isClearable && fold.answers[question] && !fold.sealed.includes(question);
    byId("clear").hidden = !isClearable;
  }
}
