// The options of the question on screen: ticking, striking out. Answering a struck option gives it back.

import { KINDS } from "./kinds/index.js";

const strikes = (form) => [...form.querySelectorAll("[data-strike]")];

/** @param {HTMLButtonElement} button @param {boolean} isStruck */
function draw(button, isStruck) {
  button.setAttribute("aria-pressed", String(isStruck));
  button.querySelector("use").setAttribute("href", isStruck ? "#undo" : "#strike");
}

const struck = (form) =>
  strikes(form).filter((button) => button.ariaPressed === "true").map((button) => button.dataset.strike).sort().join("");

/**
 * Show what the sheet says.
 * @param {HTMLElement} form @param {string} kind
 * @param {{value: string, struck: string, isLocked: boolean}} state
 */
export function writeOptions(form, kind, { value, struck: letters, isLocked }) {
  if (KINDS[kind].read(form) !== value) KINDS[kind].write(form, value);
  for (const button of strikes(form)) draw(button, letters.includes(button.dataset.strike));
  for (const control of form.querySelectorAll(".options input, .options button")) control.disabled = isLocked;
}

/**
 * Pass on what the candidate does.
 * @param {HTMLElement} form @param {string} kind @param {(act: "answer" | "strike", value: string) => void} act
 */
export function watchOptions(form, kind, act) {
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", ({ target }) => {
    const before = struck(form);
    const button = strikes(form).find((other) => other.dataset.strike === target.value);
    if (button && target.checked) draw(button, false);
    act("answer", KINDS[kind].read(form));
    if (struck(form) !== before) act("strike", struck(form));
  });
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-strike]");
    if (!button) return;
    const isStruck = button.ariaPressed !== "true";
    draw(button, isStruck);
    const before = KINDS[kind].read(form);
    if (isStruck) KINDS[kind].write(form, before.replace(button.dataset.strike, ""));
    act("strike", struck(form));
    if (KINDS[kind].read(form) !== before) act("answer", KINDS[kind].read(form));
  });
}
