// Elements written as values: no HTML text, so nothing to escape.

const SVG = "http://www.w3.org/2000/svg";

/** @param {string} id */
export const byId = (id) => document.getElementById(id);

/** An icon of the sprite. @param {string} name @param {string} [size] */
export function icon(name, size) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  if (size) svg.setAttribute("data-size", size);
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} attributes
 *   a function listens (`click`), `true` sets an empty attribute, `false`, null and undefined set none
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** Replace what an element holds, only when `key` says that it has changed. @param {Element} parent @param {string} key @param {() => (Node | string)[]} make */
export function refresh(parent, key, make) {
  if (drawn.get(parent) === key) return;
  drawn.set(parent, key);
  parent.replaceChildren(...make());
}

/** @type {WeakMap<Element, string>} */
const drawn = new WeakMap();
