// What the kinds with propositions share: boxes in a form, letters in a value, propositions struck out.

/** @param {HTMLElement} form @returns {HTMLInputElement[]} */
const boxes = (form) => [...form.querySelectorAll(".option input")];

const strikes = (form) => [...form.querySelectorAll("[data-strike]")];

/** How many answers the question announces; infinite when it announces none. @param {HTMLElement} form */
const announced = (form) => Number(form.dataset.expected) || Infinity;

/** @param {HTMLElement} form @returns {string} the ticked letters, in order; "" when blank */
export const read = (form) => boxes(form).filter((box) => box.checked).map((box) => box.value).sort().join("");

/** @param {HTMLElement} form @param {string} value */
export function write(form, value) {
  for (const box of boxes(form)) box.checked = value.includes(box.value);
  tell(form, tally(value.length, announced(form)));
}

/** @param {string} value @returns {string} `"A, C"`, or `"Sans réponse"` */
export const summary = (value) => [...value].join(", ") || "Sans réponse";

/** @param {HTMLElement} form @param {string} value @returns {[string, string][]} */
export const chosen = (form, value) => [...value].map((letter) => [
  `${letter}.`, boxes(form).find((box) => box.value === letter)?.closest(".option").querySelector(".text").textContent ?? "",
]);

/** @param {number} ticked @param {number} expected @returns {string} `"2 réponses sur 3"` */
export const tally = (ticked, expected) => `${ticked} ${ticked > 1 ? "réponses" : "réponse"} sur ${expected}`;

/** Why one tick more is refused. @param {number} expected */
export const full = (expected) =>
  expected === 1
    ? "Une seule réponse est attendue : décochez la vôtre pour en choisir une autre."
    : `${expected} réponses sont déjà cochées : décochez-en une pour en choisir une autre.`;

function tell(form, text) {
  const status = form.querySelector("[data-tally]");
  if (status) status.textContent = text;
}

/** @param {HTMLButtonElement} button @param {boolean} isStruck */
function draw(button, isStruck) {
  button.setAttribute("aria-pressed", String(isStruck));
  button.querySelector("use").setAttribute("href", isStruck ? "#undo" : "#strike");
}

const struck = (form) =>
  strikes(form).filter((button) => button.ariaPressed === "true").map((button) => button.dataset.strike).sort().join("");

/** @param {HTMLElement} form @param {string} letters */
export function writeStrikes(form, letters) {
  for (const button of strikes(form)) draw(button, letters.includes(button.dataset.strike));
}

/** Answering a struck option gives it back; striking an answer takes it back; one tick too many is refused. */
export function watch(form, act) {
  form.addEventListener("change", ({ target }) => {
    if (!target.matches(".option input")) return;
    if (read(form).length > announced(form)) {
      target.checked = false;
      tell(form, full(announced(form)));
      return;
    }
    const before = struck(form);
    const button = strikes(form).find((other) => other.dataset.strike === target.value);
    if (button && target.checked) draw(button, false);
    tell(form, tally(read(form).length, announced(form)));
    act("answer", read(form));
    if (struck(form) !== before) act("strike", struck(form));
  });
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-strike]");
    if (!button) return;
    const isStruck = button.ariaPressed !== "true";
    draw(button, isStruck);
    const before = read(form);
    if (isStruck) write(form, before.replace(button.dataset.strike, ""));
    act("strike", struck(form));
    if (read(form) !== before) act("answer", read(form));
  });
}
