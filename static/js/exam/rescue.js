// Acts that no socket will take any more: those of a tablet that was replaced, or of a sheet that somebody left on this tablet.
// They leave by HTTP with the ticket that the tablet still has; the server writes them, or keeps them apart for the jury.

import { MOST_FRAMES, parse, sheetKey } from "./protocol.js";

/**
 * @typedef {import("./outbox.js").Outbox} Outbox
 * @typedef {{state: "done" | "waiting" | "refused", quarantined: number}} Outcome `waiting`: the network or the server did not
 *   answer, try again; `refused`: this ticket cannot send them
 */

/**
 * Send what the outbox holds, once.
 * @param {Outbox} outbox @param {string} key the sheet it belongs to @param {import("./frames.js").Post} post
 * @returns {Promise<Outcome>}
 */
export async function rescue(outbox, key, post) {
  let quarantined = 0;
  try {
    while (outbox.waiting) {
      const before = outbox.waiting;
      const asked = await exchanged(post, []);
      if (asked === null) return { state: "refused", quarantined };
      const state = asked.find(({ t }) => t === "state");
      if (state && sheetKey(state.sitting, state.sheet) !== key) return { state: "refused", quarantined };
      if (state) await outbox.reconcile(state);
      const answers = (await exchanged(post, outbox.frames.slice(0, MOST_FRAMES))) ?? [];
      quarantined += await (state ? settled(outbox, answers) : surrendered(outbox, answers));
      if (outbox.waiting === before) return { state: "waiting", quarantined };
    }
  } catch {
    return { state: "waiting", quarantined };
  }
  return { state: "done", quarantined };
}

/** @returns {Promise<import("./protocol.js").Frame[] | null>} null: the ticket is worth nothing any more @throws {Error} no answer */
async function exchanged(post, texts) {
  const { status, frames } = await post(texts);
  if (status === 401) return null;
  if (status !== 200) throw new Error(`HTTP ${status}`);
  return frames.map((frame) => parse(JSON.stringify(frame))).filter(Boolean);
}

/** The sheet is still this tablet's. @param {Outbox} outbox @param {import("./protocol.js").Frame[]} answers */
async function settled(outbox, answers) {
  let quarantined = 0;
  for (const answer of answers) {
    if (answer.t === "ack") await outbox.acknowledge(answer.seq);
    if (answer.t !== "refused" || answer.seq === undefined) continue;
    const advice = await outbox.refuse(answer);
    quarantined += advice === "dropped" && answer.code === "quarantined";
  }
  return quarantined;
}

/** Another tablet has the sheet: the server keeps these acts apart, or had them before; numbers as they are. @param {Outbox} outbox @param {import("./protocol.js").Frame[]} answers */
async function surrendered(outbox, answers) {
  const apart = answers.filter(({ t, code }) => t === "refused" && code === "quarantined");
  const stored = answers.filter(({ t }) => t === "ack");
  await outbox.surrender([...apart, ...stored].map(({ seq }) => seq));
  return apart.length;
}
