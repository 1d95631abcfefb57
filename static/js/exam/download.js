// The sealed paper: kept from before, or fetched with its progress; in both cases checked byte for byte.

import { delay } from "./backoff.js";
import { sha256 } from "./chain.js";

/**
 * @typedef {import("./protocol.js").PaperPlace} PaperPlace
 * @typedef {{received: number, total: number, state: "fetching" | "checking" | "verified" | "failed"}} Progress
 */

/** @param {ReadableStream<Uint8Array>} stream @param {number} total @param {(received: number) => void} told */
async function gathered(stream, total, told) {
  const bytes = new Uint8Array(total);
  let received = 0;
  for (const reader = stream.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    if (received + value.length > total) throw new Error("longer than announced");
    bytes.set(value, received);
    received += value.length;
    told(received);
  }
  return bytes.buffer;
}

/**
 * Fetch once and check.
 * @param {PaperPlace} place @param {typeof fetch} fetch @param {(progress: Progress) => void} told
 */
async function fetched({ url, bytes, digest }, fetch, told) {
  const response = await fetch(url, { credentials: "omit" });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const buffer = await gathered(response.body, bytes, (received) => told({ received, total: bytes, state: "fetching" }));
  told({ received: bytes, total: bytes, state: "checking" });
  if ((await sha256(new Uint8Array(buffer))) !== digest) throw new Error("another digest");
  return buffer;
}

/**
 * The verified file; tries for ever, with jitter.
 * @param {PaperPlace} place
 * @param {{storage: import("./storage.js").Storage, fetch: typeof fetch, random: () => number,
 *   wait: (ms: number) => Promise<void>, told: (progress: Progress) => void}} means
 * @returns {Promise<ArrayBuffer>}
 */
export async function verifiedPaper(place, { storage, fetch, random, wait, told }) {
  const { bytes: total, digest } = place;
  const kept = await storage.paper(digest).catch(() => undefined);
  if (kept && (await sha256(new Uint8Array(kept))) === digest) {
    told({ received: total, total, state: "verified" });
    return kept;
  }
  for (let attempt = 0; ; attempt++) {
    try {
      const buffer = await fetched(place, fetch, told);
      await storage.keepPaper(digest, buffer).catch(() => {}); // without storage, a reload fetches it again
      told({ received: total, total, state: "verified" });
      return buffer;
    } catch {
      told({ received: 0, total, state: "failed" });
      await wait(delay(attempt + 2, random));
    }
  }
}
