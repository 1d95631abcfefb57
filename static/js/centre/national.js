/** Keeps the national board live. */

import { BoardSocket, put, putBoard, showLimits, showLive } from "./board.js";
import { leave } from "./forms.js";

const nation = document.querySelector("#nation");

function showTile(tile) {
  const element = nation.querySelector(`[data-hosting="${tile.hosting}"]`);
  if (!element) return;
  element.dataset.tone = tile.state.tone;
  const mark = element.querySelector(".icon");
  mark.setAttribute("aria-label", tile.state.word);
  mark.querySelector("use").setAttribute("href", `#${tile.state.icon}`);
  element.querySelector("progress").value = tile.connected;
  const texts = { connected: tile.connected, word: tile.state.word, note: tile.note };
  for (const place of element.querySelectorAll("[data-field]")) put(place, texts[place.dataset.field]);
}

function showBoard(board) {
  putBoard(nation, board);
  if (board.limits) showLimits(board.limits);
  for (const tile of board.tiles ?? []) showTile(tile);
}

if (nation.dataset.socket) new BoardSocket(nation.dataset.socket, { board: showBoard, live: showLive });
nation.addEventListener("submit", leave);
