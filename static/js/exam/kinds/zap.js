// Points on an image: touched, or placed and moved by the keyboard. The two ways write the same fields, in per cent of the image.

const FULL = 100;
const MIDDLE = { x: 50, y: 50 };
const MOVES = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };
const [STEP, STRIDE] = [1, 5];

/** @typedef {{x: number, y: number}} Point in per cent of the image, from its top left corner */

/** One decimal, inside the image. @param {number} length */
const tenth = (length) => Math.round(Math.min(FULL, Math.max(0, length)) * 10) / 10;

/** @param {string} value @returns {Point[]} */
export const pointsOf = (value) =>
  value ? value.split(";").map((text) => text.split(",").map(Number)).map(([x, y]) => ({ x, y })) : [];

/** @param {Point[]} points @returns {string} the canonical text of exams/rules/answers.py: `"57.5,50.0;10.0,20.0"` */
export const valueOf = (points) => points.map(({ x, y }) => `${tenth(x).toFixed(1)},${tenth(y).toFixed(1)}`).join(";");

/** The points with one more, or with one moved: points are placed in order. @param {Point[]} points @param {number} index @param {Point} point */
export const placed = (points, index, point) => points.toSpliced(Math.min(index, points.length), 1, point);

/** @param {Point[]} points @param {number} index */
export const removed = (points, index) => points.toSpliced(index, 1);

/** The point after one step; the first step of a point that is not placed puts it in the middle. @param {Point[]} points @param {number} index @param {string} move @param {boolean} isLong */
export function nudged(points, index, move, isLong) {
  if (index >= points.length) return placed(points, index, MIDDLE);
  const [dx, dy] = MOVES[move].map((unit) => unit * (isLong ? STRIDE : STEP));
  const { x, y } = points[index];
  return placed(points, index, { x: tenth(x + dx), y: tenth(y + dy) });
}

const said = (length) => length.toFixed(1).replace(".", ",").replace(",0", "");

const slots = (form) => [...form.querySelectorAll("[data-point]")];
const inputs = (slot) => [...slot.querySelectorAll("input[type=number]")];
const current = (form) => slots(form).findIndex((slot) => slot.querySelector("input[type=radio]").checked);

/** @param {HTMLElement} form @returns {string} */
export function read(form) {
  const filled = slots(form).map(inputs).filter((pair) => pair.every((input) => input.value !== ""));
  return valueOf(filled.map(([x, y]) => ({ x: Number(x.value), y: Number(y.value) })));
}

/** @type {WeakSet<HTMLElement>} forms in which a percentage is being typed */ const typing = new WeakSet();

/** @param {HTMLElement} form @param {string} value */
export function write(form, value) {
  if (!typing.has(form)) draw(form, pointsOf(value));
}

function draw(form, points) {
  slots(form).forEach((slot, index) => {
    const [x, y] = inputs(slot);
    x.value = points[index]?.x ?? "";
    y.value = points[index]?.y ?? "";
  });
  arrange(form, points);
}

/** Marks on the image; a point is offered once the one before it is placed. */
function arrange(form, points) {
  const all = slots(form);
  const chosenOne = Math.min(Math.max(0, current(form)), points.length, all.length - 1);
  all.forEach((slot, index) => {
    slot.hidden = index > points.length;
    slot.querySelector("input[type=radio]").checked = index === chosenOne;
    slot.querySelector("button").hidden = index >= points.length;
  });
  form.querySelectorAll(".point").forEach((mark, index) => {
    mark.hidden = index >= points.length;
    mark.toggleAttribute("data-current", index === chosenOne);
    if (!mark.hidden) Object.assign(mark.style, { left: `${points[index].x}%`, top: `${points[index].y}%` });
  });
  form.querySelector("[data-tally]").textContent =
    `${points.length} ${points.length > 1 ? "points placés" : "point placé"} sur ${all.length}`;
}

/** @param {HTMLElement} form @param {(act: "answer", value: string) => void} act */
export function watch(form, act) {
  const become = (points) => {
    draw(form, pointsOf(valueOf(points)));
    act("answer", valueOf(points));
  };
  const points = () => pointsOf(read(form));
  const choose = (index) => (slots(form)[index].querySelector("input[type=radio]").checked = true);
  const isLocked = () => form.querySelector(".answer input").disabled;
  draw(form, pointsOf(read(form)));

  form.querySelector(".target").addEventListener("click", ({ clientX, clientY }) => {
    if (isLocked()) return;
    const box = form.querySelector(".target img").getBoundingClientRect();
    const index = current(form);
    const isNew = index >= points().length;
    become(placed(points(), index, { x: (FULL * (clientX - box.x)) / box.width, y: (FULL * (clientY - box.y)) / box.height }));
    if (isNew && index + 1 < slots(form).length) {
      choose(index + 1);
      arrange(form, points());
    }
  });
  form.addEventListener("input", ({ target }) => target.type === "number" && typing.add(form));
  form.addEventListener("focusout", () => typing.delete(form));
  form.addEventListener("change", ({ target }) => {
    typing.delete(form);
    if (target.type === "radio") arrange(form, points());
    else if (inputs(target.closest("[data-point]")).every((input) => input.value !== "")) become(points());
  });
  form.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    if (button?.dataset.move) become(nudged(points(), current(form), button.dataset.move, false));
    if (button?.dataset.remove === undefined) return;
    const index = slots(form).indexOf(button.closest("[data-point]"));
    become(removed(points(), index));
    slots(form)[Math.min(index, points().length)].querySelector("input[type=radio]").focus();
  });
  form.querySelector(".pad").addEventListener("keydown", (event) => {
    const move = event.key.replace("Arrow", "").toLowerCase();
    if (!Object.hasOwn(MOVES, move) || isLocked()) return;
    event.preventDefault();
    become(nudged(points(), current(form), move, event.shiftKey));
  });
}

/** @param {string} value */
export function summary(value) {
  const { length } = pointsOf(value);
  return length ? `${length} ${length > 1 ? "points" : "point"}` : "Sans réponse";
}

/** @param {HTMLElement} _form @param {string} value @returns {[string, string][]} */
export const chosen = (_form, value) =>
  pointsOf(value).map(({ x, y }, index) => [`Point ${index + 1} :`, `à ${said(x)} % de la gauche et ${said(y)} % du haut`]);

export const isClearable = true;
