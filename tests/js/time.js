// Time that only moves when told.

export function heldTime() {
  let now = 0;
  let planned = [];
  const timers = {
    set: (call, ms) => planned[planned.push({ call, at: now + ms }) - 1],
    clear: (timer) => (planned = planned.filter((other) => other !== timer)),
  };
  /** Let time pass, and every promise that it settles. @param {number} ms */
  const pass = async (ms) => {
    for (const end = now + ms; now < end; ) {
      now = Math.min(end, now + 100);
      for (const timer of planned.filter(({ at }) => at <= now)) {
        timers.clear(timer);
        timer.call();
      }
      for (let turn = 0; turn < 20; turn++) await null;
    }
  };
  return { timers, pass, now: () => now };
}
