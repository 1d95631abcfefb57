// An image in its own frame, enlarged by buttons; two fingers do the same.

import { byId } from "../lib/dom.js";

const LAST = 4;

/** @param {number} step */
function change(step) {
  const image = byId("zoom-image");
  const level = Math.min(LAST, Math.max(1, Number(image.dataset.zoom) + step));
  image.dataset.zoom = String(level);
  byId("zoom-out-button").setAttribute("aria-disabled", String(level === 1));
  byId("zoom-in-button").setAttribute("aria-disabled", String(level === LAST));
}

export function watchZoom() {
  byId("zoom-in-button").addEventListener("click", () => change(1));
  byId("zoom-out-button").addEventListener("click", () => change(-1));
}

/** @param {HTMLImageElement} image */
export function enlarge({ src, alt }) {
  Object.assign(byId("zoom-image"), { src, alt });
  change(-LAST);
  byId("zoom").showModal();
}
