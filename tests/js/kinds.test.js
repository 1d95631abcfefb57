import assert from "node:assert/strict";
import { test } from "node:test";
import { chosen, full, summary, tally } from "../../static/js/exam/kinds/choice.js";
import { KINDS } from "../../static/js/exam/kinds/index.js";
import * as qroc from "../../static/js/exam/kinds/qroc.js";
import { matches } from "../../static/js/exam/kinds/qrpl.js";
import * as tcs from "../../static/js/exam/kinds/tcs.js";
import * as zap from "../../static/js/exam/kinds/zap.js";
import { Marks, keepOnly, sentenceStarts, toggled } from "../../static/js/exam/marks.js";
import { golden } from "./golden.js";

const { values } = golden("values");

test("each kind keeps the contract of the index", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    for (const part of ["read", "write", "watch", "summary", "chosen"]) assert.equal(typeof kind[part], "function", `${name}.${part}`);
    assert.equal(typeof kind.isClearable, "boolean", name);
    assert.equal(kind.summary(""), "Sans réponse", name);
  }
});
test("a count says where the candidate is and why a tick is refused", () => {
  assert.equal(tally(1, 3), "1 réponse sur 3");
  assert.equal(tally(2, 3), "2 réponses sur 3");
  assert.equal(full(3), "3 réponses sont déjà cochées : décochez-en une pour en choisir une autre.");
  assert.equal(full(1), "Une seule réponse est attendue : décochez la vôtre pour en choisir une autre.");
  assert.equal(summary("AC"), "A, C");
  assert.deepEqual(chosen({ querySelectorAll: () => [] }, ""), []);
});
test("a long list is searched by the beginnings of words, without accents", () => {
  assert.ok(matches("Facteur Œstrogénique", "oestro"));
  assert.ok(matches("Acide acétylsalicylique", "acety aci"));
  assert.ok(matches("L’artère pulmonaire", "artere"));
  assert.ok(matches("n’importe quoi", ""));
  assert.ok(!matches("Facteur V", "x"));
  assert.ok(!matches("Amiodarone", "darone"));
});
test("a short answer is one text for one meaning", () => {
  assert.equal(qroc.canonical("  aorte\u00a0  thoracique\t"), "aorte thoracique");
  assert.equal(qroc.canonical("e\u0301piphyse\u200b"), "épiphyse");
  assert.equal(qroc.canonical("un deux trois quatre cinq six"), "un deux trois quatre cinq");
  assert.equal(qroc.canonical("x".repeat(150)).length, 100);
  assert.equal(qroc.canonical("\ud800"), "");
});
test("a short answer that is canonical stays as it is", () => {
  for (const { value } of values.filter(({ kind, valid }) => kind === "QROC" && valid)) assert.equal(qroc.canonical(value), value);
});
test("words are counted, and those that are not kept are told", () => {
  assert.equal(qroc.count(""), "0 mot sur 5");
  assert.equal(qroc.count("un deux"), "2 mots sur 5");
  assert.equal(qroc.count("a b c d e f"), "6 mots : seuls les 5 premiers sont gardés, « a b c d e ».");
});
test("a position has its sign", () => {
  assert.deepEqual(["-2", "0", "1", ""].map(tcs.signed), ["−2", "0", "+1", ""]);
});
test("points survive their text", () => {
  for (const { value } of values.filter(({ kind, valid }) => kind === "ZAP" && valid)) {
    assert.equal(zap.valueOf(zap.pointsOf(value)), value);
  }
});
test("points are placed in order, moved by steps, kept in the image", () => {
  assert.equal(zap.valueOf(zap.placed([], 3, { x: -4, y: 120 })), "0.0,100.0");
  assert.equal(zap.valueOf(zap.nudged([], 0, "up", false)), "50.0,50.0");
  const one = [{ x: 99.5, y: 50 }];
  assert.equal(zap.valueOf(zap.nudged(one, 0, "right", false)), "100.0,50.0");
  assert.equal(zap.valueOf(zap.nudged(one, 0, "down", true)), "99.5,55.0");
  assert.equal(zap.valueOf(zap.nudged(one, 1, "left", true)), "99.5,50.0;50.0,50.0");
  assert.equal(zap.valueOf(zap.removed([{ x: 1, y: 1 }, { x: 2, y: 2 }], 0)), "2.0,2.0");
});
test("points are said in words", () => {
  assert.equal(zap.summary("1.0,2.0;3.0,4.0"), "2 points");
  assert.deepEqual(zap.chosen(null, "57.5,50.0"), [["Point 1 :", "à 57,5 % de la gauche et 50 % du haut"]]);
});
test("sentences begin after an end mark and before a capital", () => {
  assert.deepEqual(sentenceStarts("Un essai (p = 0,05). L’âge médian. et non"), [0, 21]);
  assert.deepEqual(sentenceStarts(""), [0]);
});
test("highlights belong to one sheet and survive the page", () => {
  const kept = new Map();
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key) };
  const marks = new Marks(store, "3|K7");
  marks.toggle(13, 4);
  marks.toggle(13, 2);
  assert.deepEqual(new Marks(store, "3|K7").of(13), [2, 4]);
  assert.deepEqual(new Marks(store, "3|K8").of(13), []);
  assert.equal(kept.size, 0);
  assert.deepEqual(toggled([2, 4], 2), [4]);
  kept.set("ecni.highlights", "{");
  assert.deepEqual(new Marks(store, "3|K7").of(13), []);
});
test("highlights of another sheet, and of every sheet once it is over, are forgotten", () => {
  const kept = new Map();
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, text) => kept.set(key, text), removeItem: (key) => kept.delete(key) };
  new Marks(store, "3|K7-4302").toggle(4, 2);
  keepOnly(store, "3|K7-4302");
  assert.deepEqual(new Marks(store, "3|K7-4302").of(4), [2]);
  keepOnly(store, "3|A1-0001");
  assert.equal(kept.size, 0);
  new Marks(store, "3|K7-4302").toggle(4, 2);
  keepOnly(store, null);
  assert.equal(kept.size, 0);
});
