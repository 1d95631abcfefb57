// The world of a service worker whose network and caches are ours.

import vm from "node:vm";
import { heldTime } from "./time.js";

export const HOME = "https://concours.example";

/**
 * Run a worker's script there.
 * @param {string} script @param {object} release what it is told of its page
 * @param {(asked: any, options?: object) => Promise<any>} network @param {Map<string, Map<string, any>>} drawers its caches
 * @param {object} more what else it finds in its world
 */
export function workerWorld(script, release, network, drawers, more = {}) {
  const { timers, pass } = heldTime();
  const listeners = {};
  const claims = { count: 0 };
  const full = (address) => new URL(address.url ?? address, HOME).href;
  const caches = {
    open: async (name) => {
      if (!drawers.has(name)) drawers.set(name, new Map());
      const drawer = drawers.get(name);
      return {
        addAll: async (all) => void (await Promise.all(all.map(async (one) => drawer.set(full(one), await network(one))))),
        put: async (one, answer) => void drawer.set(full(one), answer),
        match: async (one) => drawer.get(full(one)),
      };
    },
    keys: async () => [...drawers.keys()],
    delete: async (name) => drawers.delete(name),
  };
  const self = {
    location: { origin: HOME }, skipWaiting: async () => {}, clients: { claim: async () => void (claims.count += 1) },
    addEventListener: (name, call) => (listeners[name] = call),
  };
  vm.runInNewContext(`const RELEASE = ${JSON.stringify(release)};\n${script}`, {
    self, caches, URL, setTimeout: timers.set, clearTimeout: timers.clear,
    fetch: (asked, options) => network(asked.url ?? asked, options), ...more,
  });
  const waited = async (name) => {
    let done;
    listeners[name]({ waitUntil: (promise) => (done = promise) });
    await done;
  };
  const ask = (path, method = "GET", mode = "navigate") => {
    let answer = null;
    listeners.fetch({ request: { url: full(path), method, mode }, respondWith: (given) => (answer = given) });
    return answer;
  };
  return { drawers, claims, pass, waited, ask };
}

/** A network that answers everything. */
export const fresh = async (address) => ({ ok: true, status: 200, from: `network ${new URL(address, HOME).pathname}` });

/** A worker that was installed while the network answered, and has another one since. @param {(network: any) => any} rig @param {any} network */
export async function installed(rig, network = fresh) {
  const world = { network: fresh };
  const made = rig((...asked) => world.network(...asked));
  await made.waited("install");
  await made.waited("activate");
  world.network = network;
  return made;
}
