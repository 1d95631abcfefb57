// The answer to the question on screen, whatever its kind: the kind draws and listens, this locks.

import { KINDS } from "./kinds/index.js";

/**
 * Show what the sheet says.
 * @param {HTMLElement} form @param {string} kind
 * @param {{value: string, struck: string, isLocked: boolean}} state
 */
export function writeAnswer(form, kind, { value, struck, isLocked }) {
  if (KINDS[kind].read(form) !== value) KINDS[kind].write(form, value);
  KINDS[kind].writeStrikes?.(form, struck);
  for (const control of form.querySelectorAll(".answer :is(input, button)")) control.disabled = isLocked;
}

/**
 * Pass on what the candidate does.
 * @param {HTMLElement} form @param {string} kind @param {(act: "answer" | "strike", value: string) => void} act
 */
export function watchAnswer(form, kind, act) {
  form.addEventListener("submit", (event) => event.preventDefault());
  KINDS[kind].watch(form, act);
}
