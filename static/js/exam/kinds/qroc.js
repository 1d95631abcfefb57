// A short open answer: a line of text, five words at most. What is typed is recorded as soon as typing rests.

import { plural } from "../words.js";

export const WORDS = 5;
export const CHARACTERS = 100;
const REST_MS = 300;

/** @type {WeakMap<HTMLElement, number>} what is typed and not yet recorded: the timer that will */ const typing = new WeakMap();

const field = (form) => form.querySelector(".answer input");
const words = (text) => text.split(" ").filter(Boolean);

/** One text for one meaning, before it is cut: composed, without what is invisible, one space between words. @param {string} text */
const tidy = (text) =>
  text.replace(/[\p{Cf}\p{Cs}\p{Co}]/gu, "").replace(/[\p{Cc}\p{Z}]+/gu, " ").normalize("NFC").trim();

/** The canonical text of exams/rules/answers.py: the first five words, the first hundred characters. @param {string} text */
export function canonical(text) {
  const kept = words(tidy(text)).slice(0, WORDS).join(" ");
  return [...kept].slice(0, CHARACTERS).join("").trim();
}

/** What is told under the line. @param {string} text */
export function count(text) {
  const found = words(tidy(text)).length;
  if (found <= WORDS) return `${plural(found, "mot", "mots")} sur ${WORDS}`;
  return `${found} mots : seuls les ${WORDS} premiers sont gardés, « ${canonical(text)} ».`;
}

function tell(form) {
  const { value } = field(form);
  field(form).setAttribute("aria-invalid", String(words(tidy(value)).length > WORDS));
  form.querySelector("[data-count]").textContent = count(value);
}

/** @param {HTMLElement} form */
export const read = (form) => canonical(field(form).value);

/** @param {HTMLElement} form @param {string} value */
export function write(form, value) {
  if (typing.has(form)) return;
  field(form).value = value;
  tell(form);
}

/** @param {HTMLElement} form @param {(act: "answer", value: string) => void} act */
export function watch(form, act) {
  let recorded = null;
  const record = () => {
    clearTimeout(typing.get(form));
    if (!typing.delete(form) || read(form) === recorded) return;
    recorded = read(form);
    act("answer", recorded);
  };
  form.addEventListener("focusin", () => (recorded = typing.has(form) ? recorded : read(form)));
  form.addEventListener("input", () => {
    tell(form);
    clearTimeout(typing.get(form));
    typing.set(form, setTimeout(record, REST_MS));
  });
  form.addEventListener("change", record);
}

/** @param {string} value */
export const summary = (value) => value || "Sans réponse";

/** @param {HTMLElement} _form @param {string} value @returns {[string, string][]} */
export const chosen = (_form, value) => (value ? [["", value]] : []);

export const isClearable = true;
