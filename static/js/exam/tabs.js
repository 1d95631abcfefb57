// One live page per tablet: two pages would write one outbox. The lock is the browser's; it goes when its page closes.

export const LOCK = "ecni-copie";
const PATIENCE_MS = 700; // a reload takes over from the page before it

/**
 * Resolves when this page is the only one; where the browser has no locks, at once.
 * @param {LockManager | undefined} locks @param {() => void} waiting told when another page holds the sheet
 * @param {(call: () => void, ms: number) => any} later
 * @returns {Promise<void>}
 */
export function alone(locks, waiting, later) {
  if (!locks) return Promise.resolve();
  return new Promise((resolve) => {
    let isWaiting = true;
    const held = () => {
      isWaiting = false;
      resolve();
      return new Promise(() => {}); // as long as the page lives
    };
    locks.request(LOCK, held).catch(held);
    later(() => isWaiting && waiting(), PATIENCE_MS);
  });
}
