/** What both boards share: a socket that comes back by itself, and texts and labels put where the page has their places. */

const FIRST_DELAY = 500;
const LONGEST_DELAY = 15000;

/** The server says something every two seconds, changed or not: a socket that is silent for so long is dead, whatever it is called. */
const SILENCE = 8000;

/** A console's socket: `board(board)` for each push, `answer(answer)` for each command answered, `lost()` when the one before has gone. */
export class BoardSocket {
  #path;
  #handlers;
  #socket = null;
  #silence = null;
  #attempts = 0;

  /**
   * @param {string} path
   * @param {{board: (board: object) => void, answer?: (answer: object) => void, lost?: () => void,
   *   live: (isLive: boolean, why?: string) => void}} handlers
   */
  constructor(path, handlers) {
    this.#path = path;
    this.#handlers = handlers;
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** @param {object} message */
  send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #connect() {
    const socket = new WebSocket(new URL(this.#path, location.href.replace(/^http/, "ws")));
    this.#socket = socket;
    this.#listen(socket);
    socket.addEventListener("message", ({ data }) => {
      if (socket !== this.#socket) return;
      this.#listen(socket);
      this.#take(JSON.parse(data));
    });
    socket.addEventListener("close", ({ code }) => this.#end(socket, code !== 4404));
  }

  /** @param {{type: "board" | "alive" | "stale" | "answer", text?: string}} message */
  #take(message) {
    this.#attempts = 0;
    if (message.type === "board") {
      this.#handlers.board(message);
      this.#handlers.live(true);
    }
    if (message.type === "answer") this.#handlers.answer?.(message);
    if (message.type === "stale") this.#handlers.live(false, message.text);
  }

  /** @param {WebSocket} socket */
  #listen(socket) {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      this.#end(socket, true);
      socket.close();
    }, SILENCE);
  }

  /** @param {WebSocket} socket @param {boolean} comesBack */
  #end(socket, comesBack) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#silence);
    this.#handlers.live(false);
    this.#handlers.lost?.();
    if (!comesBack) return;
    const longest = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempts++);
    setTimeout(() => this.#connect(), FIRST_DELAY + Math.random() * longest);
  }
}

/** Put one text in an element, only when it changed. */
export function put(element, text) {
  if (element.textContent !== String(text)) element.textContent = String(text);
}

/** Put a tone, an icon and a word in an element made by `_label.html`. */
export function putLabel(element, label) {
  element.hidden = !label;
  if (!label) return;
  element.dataset.tone = label.tone;
  element.querySelector("use").setAttribute("href", `#${label.icon}`);
  put(element.querySelector("span"), label.word);
}

/** Fill every `data-board="a.b"` of the page with what the push holds. */
export function putBoard(root, board) {
  for (const element of root.querySelectorAll("[data-board]")) {
    const value = element.dataset.board.split(".").reduce((part, name) => part?.[name], board);
    if (value !== undefined) put(element, value);
  }
}

/** Say in the header whether the page is live, else why not. */
export function showLive(isLive, why = "Liaison coupée : l’affichage date, un bouton peut encore marcher") {
  const status = document.querySelector("#live");
  status.dataset.tone = isLive ? "ok" : "warn";
  status.querySelector("use").setAttribute("href", isLive ? "#sync" : "#wifi-off");
  put(status.querySelector("span"), isLive ? "À jour" : why);
}

/** Name each limit that makes somebody wait, and each guard that only observes. @param {{tone: string, icon: string, word: string}[]} limits */
export function showLimits(limits) {
  const place = document.querySelector("#limits");
  place.replaceChildren(...limits.map(({ tone, icon: name, word }) => {
    const line = document.createElement("div");
    line.className = "banner";
    line.dataset.tone = tone;
    const words = document.createElement("div");
    words.textContent = word;
    if (place.dataset.page) words.append(" ", linkTo(place.dataset.page));
    line.append(icon(name), words);
    return line;
  }));
}

/** Where a limit is raised and a guard is switched. */
function linkTo(page) {
  const link = document.createElement("a");
  link.href = page;
  link.textContent = "Limites et gardes";
  return link;
}

/** An icon of the sprite. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.classList.add("icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}
