/* Verify a receipt against the public log, alone in a browser: no network, no library, no storage.
   Formats: docs/evidence.md of the project. */
"use strict";

const encoder = new TextEncoder();
const KINDS = { answer: "réponse", seal: "validation définitive", flag: "signalement", strike: "propositions barrées", submit: "remise de la copie" };
const RECEIPT = /^ECNI1:(\d+):([^:\s]{1,12}):([0-9a-f]{64})$/i;
const ED25519 = { name: "Ed25519" };

// ----- Hashes -----
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const grouped = (digits) => digits.toUpperCase().replace(/(.{4})(?=.)/g, "$1 ");

function bytesOf(digits) {
  if (typeof digits !== "string" || !/^([0-9a-f]{2})*$/.test(digits)) throw new Error("empreinte illisible");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

async function sha256(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined));
}

// ----- What is typed, what is published -----
function readReceipt(text) {
  const qr = RECEIPT.exec(text.trim());
  if (qr) return { prefix: qr[3].toLowerCase(), sitting: Number(qr[1]), number: qr[2].toUpperCase() };
  const digits = text.replace(/[\s·.\-:]/g, "").toLowerCase();
  if (!/^([0-9a-f]{32}|[0-9a-f]{64})$/.test(digits)) {
    throw new Error(`Un reçu a 32 ou 64 chiffres et lettres de A à F ; celui-ci en a ${digits.length}${/[^0-9a-f]/.test(digits) ? ", et contient d’autres signes" : ""}.`);
  }
  return { prefix: digits, sitting: null, number: "" };
}

/** Return the line of the log in which the receipt is, and how many lines were read. The file may be large: it is never whole in memory. */
async function findLine(file, prefix, told) {
  const reader = file.stream().pipeThrough(new TextDecoderStream()).getReader();
  const needle = `"${prefix}`;
  let rest = "", lines = 0, read = 0;
  for (;;) {
    const { done, value } = await reader.read();
    const parts = (rest + (value ?? "")).split("\n");
    rest = done ? "" : parts.pop();
    for (const part of parts) {
      if (!part.trim()) continue;
      lines += 1;
      if (part.includes(needle)) {
        await reader.cancel();
        return { line: part, lines };
      }
    }
    if (done) return { line: null, lines };
    read += value.length;
    told(Math.round((100 * read) / file.size));
  }
}

async function sort(files) {
  const found = { journal: null, checkpoints: null };
  for (const file of files) {
    const start = (await file.slice(0, 200).text()).trimStart();
    if (start.startsWith('{"head"')) found.journal = file;
    else if (start.includes("ecni-checkpoints/1")) found.checkpoints = JSON.parse(await file.text());
  }
  return found;
}

// ----- Verifications -----
/** Recompute the chain from its genesis; return the fold, and the place of the first break, if any. */
async function readChain(sheet) {
  let head = bytesOf(sheet.genesis), place = 0, broken = null;
  const answers = new Map(), ops = [];
  for (const [seq, kind, question, at, value, digest] of sheet.ops) {
    place += 1;
    const computed = hex(await sha256(head, encoder.encode(`${seq}|${kind}|${question}|${at}|${value}`)));
    const holds = seq === place && computed === digest;
    if (!holds && broken === null) broken = { seq, question, missing: seq !== place };
    ops.push({ seq, kind, question, at, value, digest, holds });
    if (kind === "answer") answers.set(question, { value, at, holds });
    head = bytesOf(digest);
  }
  return { ops, answers, broken, head: hex(head) };
}

/** Return the root that an inclusion proof leads to (RFC 9162, 2.1.3.2), or null. */
async function rootOfProof(leaf, { index, size, path }) {
  if (!(index >= 0 && index < size)) return null;
  let place = index, last = size - 1, root = leaf;
  const one = Uint8Array.of(1);
  for (const digits of path) {
    const sibling = bytesOf(digits);
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      root = await sha256(one, sibling, root);
      while (place !== 0 && place % 2 === 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else root = await sha256(one, root, sibling);
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hex(root) : null;
}

function readCheckpoint(document) {
  const entry = document.checkpoints.at(-1);
  const [format, sitting, index, at, sheets, ops, root] = entry.text.split("\n");
  if (format !== "ecni-checkpoint/1") throw new Error("format inconnu");
  return { ...entry, sitting: Number(sitting), index, at: Number(at), sheets, ops, root, key: document.keys[entry.key_id] };
}

/** Whether the signature holds; null when this browser cannot tell. */
async function isSigned(point) {
  const key = bytesOf(point.key);
  if (hex(await sha256(key)).slice(0, 16) !== point.key_id) return false;
  let imported;
  try {
    imported = await crypto.subtle.importKey("raw", key, ED25519, false, ["verify"]);
  } catch {
    return null;
  }
  return crypto.subtle.verify(ED25519, imported, bytesOf(point.signature), encoder.encode(point.text));
}

/** Everything that can be said of one receipt: a list of {ok: true | false | null, what, text}, and what was read. */
async function verify(receipt, sheet, document) {
  const checks = [];
  const say = (ok, what, text) => checks.push({ ok, what, text });
  const chain = await readChain(sheet);
  sayChain(say, chain);
  const at = chain.ops.findIndex((op) => op.digest.startsWith(receipt.prefix));
  sayReceipt(say, chain, at);
  if (receipt.number) {
    const sitting = receipt.sitting ?? sheet.sitting;
    const genesis = hex(await sha256(encoder.encode(`ecni-sheet/1|${sitting}|${receipt.number}`)));
    say(genesis === sheet.genesis, "Votre copie", genesis === sheet.genesis
      ? `cette chaîne est bien celle de la copie ${receipt.number} à l’épreuve ${sitting}.`
      : `cette chaîne n’est pas celle de la copie ${receipt.number} à l’épreuve ${sitting}. Vérifiez le numéro.`);
  } else say(null, "Votre copie", "non vérifiée : il faut le numéro de copie, ou le texte entier du QR.");
  const point = await sayCheckpoint(say, receipt, sheet, chain, document);
  return { checks, chain, point };
}

function sayChain(say, chain) {
  if (chain.broken === null) {
    say(true, "La chaîne", `les ${chain.ops.length} actes se suivent depuis le premier, chacun conforme à son empreinte.`);
  } else if (chain.broken.missing) {
    say(false, "La chaîne", `elle se rompt à l’acte ${chain.broken.seq} : un acte manque, ou l’ordre a été changé.`);
  } else {
    const about = chain.broken.question ? `, question ${chain.broken.question}` : "";
    say(false, "La chaîne", `elle se rompt à l’acte ${chain.broken.seq}${about} : son contenu n’est pas celui de son empreinte. Cet acte a été changé.`);
  }
}

function sayReceipt(say, chain, at) {
  const later = chain.ops.length - 1 - at;
  if (at < 0) say(false, "Votre reçu", "il ne correspond à aucun acte de cette copie.");
  else if (later === 0) say(true, "Votre reçu", "il est l’empreinte du dernier acte : rien n’a été ajouté ni retiré depuis.");
  else say(true, "Votre reçu", `il est l’empreinte de l’acte ${chain.ops[at].seq} ; ${later} acte(s) ont été enregistrés ensuite. C’est normal si vous l’avez noté avant la fin.`);
}

async function sayCheckpoint(say, receipt, sheet, chain, document) {
  if (!document) {
    say(null, "Signature", "non vérifiée : le fichier checkpoints.json n’a pas été choisi.");
    return null;
  }
  const point = readCheckpoint(document);
  const isOurs = point.sitting === sheet.sitting;
  const signed = isOurs && point.key ? await isSigned(point) : false;
  if (!isOurs) say(false, "Signature", "le fichier checkpoints.json est celui d’une autre épreuve.");
  else if (signed === null) say(null, "Signature", "non vérifiée : ce navigateur ne connaît pas Ed25519. Essayez-en un plus récent.");
  else say(signed, "Signature", signed ? "le dernier point de contrôle est signé par la clé ci-dessous." : "la signature du dernier point de contrôle est fausse.");
  if (!receipt.number) {
    say(null, "Point de contrôle", "non vérifié : il faut le numéro de copie, ou le texte entier du QR.");
    return point;
  }
  const last = chain.ops.at(-1);
  const leaf = await sha256(Uint8Array.of(0), encoder.encode(`${receipt.number}|${last.seq}|${last.digest}`));
  const held = (await rootOfProof(leaf, sheet.proof)) === point.root;
  say(held, "Point de contrôle", held
    ? "le dernier acte de votre copie est bien celui que la racine signée atteste."
    : "le dernier acte de votre copie n’est pas celui que la racine signée atteste.");
  return point;
}

// ----- The page -----
const $ = (id) => document.getElementById(id);

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function showError(id, text) {
  $(`${id}-error`).textContent = text;
  $(`${id}-error`).hidden = !text;
  $(id).setAttribute("aria-invalid", String(Boolean(text)));
  if (text) $(id).focus();
}

const hour = (at) => new Date(at).toLocaleTimeString("fr-FR", { timeZone: "Europe/Paris" });
const shown = (value) => (value === "" ? "(blanc)" : value);

function done(op) {
  if (op.kind === "answer") return `réponse : ${shown(op.value)}`;
  if (op.kind === "flag") return op.value === "1" ? "marquée à revoir" : "n’est plus marquée à revoir";
  if (op.kind === "strike") return op.value ? `propositions barrées : ${op.value}` : "aucune proposition barrée";
  return KINDS[op.kind] ?? op.kind;
}

function showVerdict(tone, title, text) {
  $("verdict-banner").dataset.tone = tone;
  $("verdict").textContent = title;
  $("verdict-text").textContent = text;
  $("result").hidden = false;
  $("result").focus();
}

function showChecks(checks) {
  const tones = new Map([[true, ["ok", "Concorde"]], [false, ["danger", "Ne concorde pas"]], [null, ["quiet", "Non vérifié"]]]);
  $("checks").replaceChildren(...checks.map(({ ok, what, text }) => {
    const [tone, word] = tones.get(ok);
    const item = element("li", "", { "data-tone": tone });
    const said = element("span", "");
    said.append(element("b", `${word} : `), text);
    item.append(element("span", what), said);
    return item;
  }));
}

function showPoint(point) {
  $("point").hidden = !point;
  if (!point) return;
  $("point-index").textContent = point.index;
  $("point-at").textContent = new Date(point.at).toLocaleString("fr-FR", { timeZone: "Europe/Paris" });
  $("point-counts").textContent = `${point.sheets} copies, ${point.ops} actes`;
  $("point-root").textContent = grouped(point.root);
  $("point-key").textContent = grouped(point.key_id);
}

function row(cells, holds) {
  const made = element("tr", "", holds ? {} : { "data-tone": "danger" });
  made.append(...cells.map(([text, kind]) => element("td", text, kind ? { class: kind } : {})));
  return made;
}

function showChain(chain) {
  $("final").hidden = $("all").hidden = !chain;
  if (!chain) return;
  const answers = [...chain.answers].sort(([one], [other]) => one - other);
  $("answers").replaceChildren(...answers.map(([question, { value, at, holds }]) => row([[question, "number"], [shown(value)], [hour(at)]], holds)));
  $("ops").replaceChildren(...chain.ops.map((op) => row(
    [[op.seq, "number"], [op.question || "", "number"], [done(op)], [hour(op.at)], [op.holds ? "concorde" : "rompue"]], op.holds)));
}

function conclude({ checks, chain, point }) {
  showChecks(checks);
  showPoint(point);
  showChain(chain);
  const wrong = checks.filter(({ ok }) => ok === false);
  if (wrong.length) showVerdict("danger", "Quelque chose ne concorde pas", `${wrong[0].what} : ${wrong[0].text} Gardez votre reçu et ces fichiers, et saisissez le jury.`);
  else if (checks.some(({ ok }) => ok === null)) showVerdict("info", "Ce qui a pu être vérifié concorde", "Certaines vérifications n’ont pas été faites : la liste dit lesquelles, et ce qu’il y faut.");
  else showVerdict("ok", "Tout concorde", "Les réponses ci-dessous sont celles que votre tablette a enregistrées. Comparez encore la clé et la racine avec la feuille d’un centre : c’est ce qui prouve que ce journal est celui du jour de l’épreuve.");
}

async function submit(event) {
  event.preventDefault();
  $("result").hidden = true;
  showError("receipt", "");
  showError("files", "");
  let receipt;
  try {
    receipt = readReceipt($("receipt").value);
  } catch (error) {
    return showError("receipt", error.message);
  }
  receipt.number ||= $("number").value.trim().toUpperCase();
  try {
    await run(receipt, await sort($("files").files));
  } catch (error) {
    showError("files", `Ces fichiers ne sont pas ceux d’un journal publié : ${error.message}.`);
  }
  $("progress").textContent = "";
}

async function run(receipt, { journal, checkpoints }) {
  if (!journal) return showError("files", "Choisissez le fichier journal.jsonl.");
  const { line, lines } = await findLine(journal, receipt.prefix, (percent) => {
    $("progress").textContent = `Lecture du journal : ${percent} %`;
  });
  if (line) return conclude(await verify(receipt, JSON.parse(line), checkpoints));
  const text = `Aucune des ${lines} copies de ce journal ne porte ce reçu. Vérifiez le code, et que le journal est celui de la bonne épreuve. Sinon, gardez votre reçu et saisissez le jury : une copie a pu être changée ou retirée.`;
  conclude({ checks: [{ ok: false, what: "Votre reçu", text }], chain: null, point: null });
}

document.addEventListener("DOMContentLoaded", () => $("form").addEventListener("submit", submit));
