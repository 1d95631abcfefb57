/** Keeps a room's board live, and sends its forms by the socket; without it, forms leave as forms do. */

import { BoardSocket, icon, put, putBoard, putLabel, showLimits, showLive } from "./board.js";
import { leave, showAnswer } from "./forms.js";

const room = document.querySelector("#room");
const rows = new Map();
/** @type {Set<number>} commands that have no answer yet */
const unanswered = new Set();
let commands = 0;

const socket = new BoardSocket(room.dataset.socket, { board: showBoard, answer: take, lost: tellUnanswered, live: showLive });

function showBoard(board) {
  putBoard(room, board);
  if (board.state) {
    putLabel(room.querySelector(".console-head > [data-label=state]"), board.state);
    for (const element of room.querySelectorAll("[data-states]")) {
      element.hidden = !element.dataset.states.split(" ").includes(board.state.code);
    }
  }
  if (board.counts) showCounts(board.counts);
  if (board.limits) showLimits(board.limits);
  if (board.obstacles) showObstacles(board.obstacles);
  for (const row of board.rows) showRow(row);
}

function showCounts(counts) {
  for (const link of room.querySelectorAll("[data-filter]")) {
    link.dataset.tone = counts[link.dataset.filter] ? link.dataset.full : "quiet";
  }
}

function showRow(row) {
  rows.set(String(row.seat), row);
  for (const place of room.querySelectorAll(`[data-seat="${row.seat}"]`)) {
    if (place.matches("tbody")) toneRows(place, row);
    else place.dataset.tone = row.tone;
    for (const element of place.querySelectorAll("[data-field]")) put(element, row[element.dataset.field]);
    for (const element of place.querySelectorAll("[data-label]")) putLabel(element, row[element.dataset.label]);
    for (const element of place.querySelectorAll("[data-value]")) element.value = row[element.dataset.value];
    for (const element of place.querySelectorAll("[data-show]")) element.hidden = !row[element.dataset.show];
    if (place.matches("tbody")) showAlerts(place.querySelector("[data-alerts]"), row.alerts);
  }
  filter(String(row.seat));
}

/** In the table only what needs somebody has a tone: the ordinary recedes. */
function toneRows(body, row) {
  for (const line of body.rows) {
    if (row.alerts.length) line.dataset.tone = row.tone;
    else delete line.dataset.tone;
  }
}

function showAlerts(line, alerts) {
  line.hidden = alerts.length === 0;
  line.cells[1].replaceChildren(...alerts.map((alert) => {
    const span = document.createElement("span");
    span.className = "row compact";
    const words = document.createElement("b");
    words.textContent = alert.word;
    span.append(icon(alert.icon), words);
    return span;
  }));
}

function showObstacles(obstacles) {
  const lines = obstacles.length ? obstacles : ["Rien ne s’y oppose."];
  document.querySelector("#obstacles").replaceChildren(...lines.map((words) => {
    const line = document.createElement("li");
    line.dataset.tone = obstacles.length ? "warn" : "ok";
    const span = document.createElement("span");
    span.textContent = words;
    line.append(icon(obstacles.length ? "alert" : "check"), span);
    return line;
  }));
}

function take(answer) {
  unanswered.delete(answer.id);
  showAnswer(answer);
}

/** What was asked may have been done: only the board knows. */
function tellUnanswered() {
  if (unanswered.size === 0) return;
  unanswered.clear();
  showAnswer({ ok: false, text: "La liaison s’est coupée avant la réponse. Regardez le tableau avant de recommencer." });
}

function filter(seat) {
  const shown = room.dataset.shown;
  const row = rows.get(seat);
  const body = room.querySelector(`tbody[data-seat="${seat}"]`);
  if (!row || !body) return;
  body.hidden = !["all", row.code, row.tone].includes(shown);
  if (body.hidden) for (const box of body.querySelectorAll("input[name=seats]")) box.checked = false; // what is not seen is not acted on
}

room.querySelector(".filters").addEventListener("click", (event) => {
  const link = event.target.closest("[data-filter]");
  if (!link || rows.size === 0) return;
  event.preventDefault();
  room.dataset.shown = link.dataset.filter;
  for (const other of room.querySelectorAll("[data-filter]")) other.toggleAttribute("aria-current", other === link);
  link.setAttribute("aria-current", "true");
  for (const seat of rows.keys()) filter(seat);
});

room.addEventListener("submit", (event) => {
  if (!socket.isOpen) return leave(event);
  event.preventDefault();
  command(event.target, event.submitter);
});

function command(form, button) {
  const data = new FormData(form, button);
  const seats = data.has("only") ? data.getAll("only") : data.getAll("seats");
  const action = button?.hasAttribute("formaction") ? button.formAction : form.action;
  const verb = new URL(action).pathname.split("/").at(-2);
  unanswered.add(++commands);
  socket.send({ id: commands, verb, seats, ...Object.fromEntries(fields(data)) });
  if (form.matches("[popover]")) form.hidePopover();
  form.reset();
}

function* fields(data) {
  for (const name of ["reason", "minutes", "text"]) if (data.get(name)) yield [name, data.get(name)];
}

document.querySelector("#all-seats").addEventListener("change", ({ target }) => {
  for (const box of room.querySelectorAll("tbody:not([hidden]) input[name=seats]")) box.checked = target.checked;
});
