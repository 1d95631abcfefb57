/** Keeps the operations board live: asks for its state every two seconds and puts the parts that changed. */

import { showLive } from "../centre/board.js";

const PERIOD = 2000;

const page = document.querySelector("#operations");

/** @param {Document} state */
function show(state) {
  for (const part of state.querySelectorAll("[data-part]")) {
    const shown = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (shown && !shown.isEqualNode(part)) shown.replaceChildren(...part.childNodes);
  }
}

async function follow() {
  try {
    const response = await fetch(page.dataset.state, { redirect: "error", signal: AbortSignal.timeout(2 * PERIOD) });
    if (response.ok) show(new DOMParser().parseFromString(await response.text(), "text/html"));
    showLive(response.ok);
  } catch {
    showLive(false);
  }
  setTimeout(follow, PERIOD);
}

setTimeout(follow, PERIOD);
