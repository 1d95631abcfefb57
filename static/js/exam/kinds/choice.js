// What QRU and QRM share: boxes in a form, letters in a value.

/** @param {HTMLElement} form @returns {HTMLInputElement[]} */
const boxes = (form) => [...form.querySelectorAll(".option input")];

/** @param {HTMLElement} form @returns {string} the ticked letters, in order; "" when blank */
export const read = (form) => boxes(form).filter((box) => box.checked).map((box) => box.value).sort().join("");

/** @param {HTMLElement} form @param {string} value */
export function write(form, value) {
  for (const box of boxes(form)) box.checked = value.includes(box.value);
}

/** @param {string} value @returns {string} `"A, C"`, or `"Sans réponse"` */
export const summary = (value) => [...value].join(", ") || "Sans réponse";
