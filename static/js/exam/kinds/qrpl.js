// A long list with as many answers as announced: searched by words, walked with the arrows. What is ticked stays in sight.

import { plural } from "../words.js";
import * as choice from "./choice.js";

export const { chosen, read, summary, write, writeStrikes } = choice;
export const isClearable = false;

/** @param {string} text @returns {string} what is compared: no capital, no accent, no ligature */
export const folded = (text) =>
  text.toLowerCase().replaceAll("œ", "oe").replaceAll("æ", "ae").replaceAll("’", "'").normalize("NFD").replace(/\p{M}/gu, "");

/** Whether a proposition holds the beginning of every word sought. @param {string} text @param {string} sought */
export function matches(text, sought) {
  const words = folded(text).split(/[^\p{L}\p{N}]+/u);
  return folded(sought).split(/[^\p{L}\p{N}]+/u).every((word) => words.some((other) => other.startsWith(word)));
}

const options = (form) => [...form.querySelectorAll(".option")];
const shownBoxes = (form) => options(form).filter((option) => !option.hidden).map((option) => option.querySelector("input"));

function filter(form, sought) {
  for (const option of options(form)) {
    option.hidden = !option.querySelector("input").checked && !matches(option.querySelector(".text").textContent, sought);
  }
  const count = shownBoxes(form).length;
  form.querySelector("[data-found]").textContent = sought.trim()
    ? `${plural(count, "proposition affichée", "propositions affichées")} sur ${options(form).length}`
    : plural(options(form).length, "proposition", "propositions");
}

/** @param {HTMLElement} form @param {(act: "answer" | "strike", value: string) => void} act */
export function watch(form, act) {
  choice.watch(form, act);
  const search = form.querySelector("input[type=search]");
  search.addEventListener("input", () => filter(form, search.value));
  form.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const isHere = event.target === search || event.target.matches(".option input");
    if (event.key === "Enter" && event.target === search) event.preventDefault();
    if (!step || !isHere) return;
    event.preventDefault();
    const stops = [search, ...shownBoxes(form)];
    stops[stops.indexOf(event.target) + step]?.focus();
  });
}
