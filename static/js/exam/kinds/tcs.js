// Script concordance: one of five positions on a scale. Arrows walk it; "Effacer" gives it back blank.

const boxes = (form) => [...form.querySelectorAll(".scale input")];

/** @param {HTMLElement} form @returns {string} `"-2"` to `"2"`; "" when blank */
export const read = (form) => boxes(form).find((box) => box.checked)?.value ?? "";

/** @param {HTMLElement} form @param {string} value */
export function write(form, value) {
  for (const box of boxes(form)) box.checked = box.value === value;
}

/** @param {HTMLElement} form @param {(act: "answer", value: string) => void} act */
export const watch = (form, act) => form.addEventListener("change", () => act("answer", read(form)));

/** @param {string} value @returns {string} the position with its sign: `"−1"`, `"0"`, `"+2"` */
export const signed = (value) => (Number(value) > 0 ? `+${value}` : value.replace("-", "−"));

/** @param {string} value */
export const summary = (value) => signed(value) || "Sans réponse";

/** @param {HTMLElement} form @param {string} value @returns {[string, string][]} */
export const chosen = (form, value) =>
  boxes(form).filter((box) => value && box.value === value).map((box) => [signed(value), box.closest("label").querySelector("span").textContent]);

export const isClearable = true;
