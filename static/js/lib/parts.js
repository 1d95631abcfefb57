/** Keeps a page live without a socket: asks for its state every two seconds and puts the parts that changed. */

const PERIOD = 2000;

/**
 * Put each `data-part` whose content changed, and the tone of each `data-row`; what is typed in a form stays.
 * @param {Element} page
 * @param {ParentNode} state
 */
function show(page, state) {
  for (const part of state.querySelectorAll("[data-part]")) {
    const shown = page.querySelector(`[data-part="${part.dataset.part}"]`);
    if (shown && !shown.isEqualNode(part)) shown.replaceChildren(...part.childNodes);
  }
  for (const row of state.querySelectorAll("[data-row]")) {
    const shown = page.querySelector(`[data-row="${row.dataset.row}"]`);
    if (!shown || shown.dataset.tone === row.dataset.tone) continue;
    if (row.dataset.tone) shown.dataset.tone = row.dataset.tone;
    else delete shown.dataset.tone;
  }
}

/**
 * Follow the state whose address is in `data-state`.
 * @param {HTMLElement} page
 * @param {(isLive: boolean) => void} live told after each answer
 */
export function follow(page, live) {
  const ask = async () => {
    try {
      const response = await fetch(page.dataset.state, { redirect: "error", signal: AbortSignal.timeout(2 * PERIOD) });
      if (response.ok) show(page, new DOMParser().parseFromString(await response.text(), "text/html"));
      live(response.ok);
    } catch {
      live(false);
    }
    setTimeout(ask, PERIOD);
  };
  setTimeout(ask, PERIOD);
}
