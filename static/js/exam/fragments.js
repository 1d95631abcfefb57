// The sealed paper's fragments become elements here, and nowhere else; their images become addresses of this page.

import { element, icon } from "../lib/dom.js";
import { fromBase64 } from "./paper.js";

/** @type {Map<string, string>} */ const addresses = new Map();

/** @param {string} name @param {{type: string, base64: string}} media */
function addressOf(name, { type, base64 }) {
  if (!addresses.has(name)) addresses.set(name, URL.createObjectURL(new Blob([fromBase64(base64)], { type })));
  return addresses.get(name);
}

/** @param {HTMLImageElement} image @param {(image: HTMLImageElement) => void} enlarge */
function enlargeable(image, enlarge) {
  const click = () => enlarge(image);
  return element("button", { class: "button screen-only", type: "button", click }, icon("zoom-in"), "Agrandir l’image");
}

/**
 * @param {string} html @param {number} number question, so that images of the same name never mix
 * @param {import("./paper.js").Step["media"]} media @param {(image: HTMLImageElement) => void} enlarge
 * @returns {HTMLElement} the fragment's only element
 */
export function fragment(html, number, media, enlarge) {
  const root = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  const adopted = document.importNode(root, true);
  for (const image of adopted.querySelectorAll("img[data-media]")) {
    const file = media[image.dataset.media];
    if (!file) continue;
    image.src = addressOf(`${number}/${image.dataset.media}`, file);
    (image.closest(".target") ?? image).after(enlargeable(image, enlarge));
  }
  return adopted;
}
