// The whole song: an overview with the passage to explain, and below it who plays when. Streamlit calls the default
// export at the first mount and whenever the data change.

const DRAG_PX = 5; // a shorter drag is a click
const STEP_S = 0.5; // by which an arrow moves the passage
const TELL_MS = 300; // after the last key: holding one down asks for one passage, not for all on the way
const SVG = "http://www.w3.org/2000/svg";

class Strip {
  #data = null;
  #start = 0; // of the passage, as shown here
  #told = []; // starts that were told to the server and have not come back
  #telling = 0; // timer
  #heard = 0; // second of the song at which a player is
  #leaving = new AbortController();

  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const { overview, window: passage, ribbons } = this.parts;
    this.resizing = new ResizeObserver(() => this.#drawAxis());
    this.resizing.observe(overview);
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: this.#leaving.signal });
    on(overview, "pointerdown", (event) => event.button === 0 && this.#dragged(event));
    on(passage, "keydown", (event) => this.#pressed(event));
    on(ribbons, "click", (event) => this.#clicked(event));
    on(ribbons, "pointermove", (event) => this.#pointed(event));
    on(ribbons, "pointerleave", () => this.#unpoint());
    onPosition((seconds) => this.#follow(seconds), this.#leaving.signal);
  }

  update(data, tell) {
    this.tell = tell;
    this.#data = data;
    const { parts } = this;
    if (parts.picture.getAttribute("src") !== data.picture) parts.picture.src = data.picture;
    const { passage } = data;
    parts.window.hidden = parts.band.hidden = !passage;
    if (passage) {
      parts.window.setAttribute("aria-valuemax", (data.duration - passage.seconds).toFixed(2));
      const last = this.#told.at(-1);
      const late = this.#told.length && passage.start !== last && this.#told.includes(passage.start);
      if (!late) {
        this.#told = [];
        this.#move(passage.start);
      }
    }
    this.#drawRibbons();
    this.#drawAxis();
    this.#follow(this.#heard);
  }

  dispose() {
    clearTimeout(this.#telling);
    this.#leaving.abort();
    this.resizing.disconnect();
  }

  // --- the passage --------------------------------------------------------------------------------------------------

  /** Shows the passage from a second of the song on, as far as the song reaches. */
  #move(start) {
    const { duration, passage } = this.#data;
    this.#start = +clamp(start, 0, duration - passage.seconds).toFixed(2);
    const [left, width] = [this.#start / duration, passage.seconds / duration].map((share) => `${100 * share}%`);
    for (const part of [this.parts.window, this.parts.band]) Object.assign(part.style, { left, width });
    const [from, to] = [this.#start, this.#start + passage.seconds].map((seconds) => clock(seconds, 1));
    this.parts.window.setAttribute("aria-valuenow", this.#start);
    this.parts.window.setAttribute("aria-valuetext", `${from} to ${to}`);
    this.root.dataset.start = this.#start;
  }

  #tellStart() {
    if (this.#start === (this.#told.at(-1) ?? this.#data.passage.start)) return;
    this.#told.push(this.#start);
    this.tell("moved", this.#start);
  }

  /** Dragging takes the passage along; a click beside it puts it there; a click goes to that second. */
  #dragged(down) {
    const { overview } = this.parts;
    const box = overview.getBoundingClientRect();
    const { duration, passage } = this.#data;
    const second = (event) => clamp((event.clientX - box.left) / box.width, 0, 1) * duration;
    const grasp = passage && (down.target === this.parts.window ? second(down) - this.#start : passage.seconds / 2);
    const dragging = new AbortController();
    const { signal } = dragging;
    const end = () => {
      dragging.abort();
      this.root.classList.remove("dragging");
    };
    this.root.classList.add("dragging");
    overview.setPointerCapture(down.pointerId);
    overview.addEventListener("pointermove", (event) => passage && this.#move(second(event) - grasp), { signal });
    overview.addEventListener("pointercancel", () => (end(), passage && this.#move(passage.start)), { signal });
    overview.addEventListener("pointerup", (up) => {
      end();
      if (passage) this.#move(second(up) - grasp);
      if (Math.abs(up.clientX - down.clientX) < DRAG_PX) askToSeek(second(up));
      if (passage) this.#tellStart();
    }, { signal });
  }

  #pressed(event) {
    const { duration, passage } = this.#data;
    const moves = {
      ArrowLeft: this.#start - STEP_S,
      ArrowDown: this.#start - STEP_S,
      ArrowRight: this.#start + STEP_S,
      ArrowUp: this.#start + STEP_S,
      PageDown: this.#start - passage.seconds,
      PageUp: this.#start + passage.seconds,
      Home: 0,
      End: duration,
    };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#move(moves[event.key]);
    clearTimeout(this.#telling);
    this.#telling = setTimeout(() => this.#tellStart(), TELL_MS);
  }

  // --- the ribbons --------------------------------------------------------------------------------------------------

  /** The second of the song, and the row, under a pointer on a ribbon. */
  #place(event) {
    const svg = event.target.closest("svg");
    if (!svg) return null;
    const box = svg.getBoundingClientRect();
    const share = clamp((event.clientX - box.left) / box.width, 0, 1);
    return { share, seconds: share * this.#data.duration, row: svg.parentElement };
  }

  #clicked(event) {
    const place = this.#place(event);
    if (place) return this.#ask(place.row.dataset.label, this.#centred(place.seconds));
    const row = event.target.closest("button")?.parentElement;
    if (row) this.#ask(row.dataset.label, this.#atCursor());
  }

  #ask(label, start) {
    clearTimeout(this.#telling);
    this.tell("why", { label, start });
  }

  #centred(seconds) {
    const { duration, passage } = this.#data;
    return passage && +clamp(seconds - passage.seconds / 2, 0, duration - passage.seconds).toFixed(2);
  }

  /** The passage around the cursor; the one that is shown if it holds the cursor, none where nothing was played yet. */
  #atCursor() {
    const { passage } = this.#data;
    if (!passage || !this.#heard) return null;
    const inside = this.#heard >= this.#start && this.#heard <= this.#start + passage.seconds;
    return inside ? this.#start : this.#centred(this.#heard);
  }

  #pointed(event) {
    const place = this.#place(event);
    const { pointer, hint, stage } = this.parts;
    pointer.hidden = hint.hidden = !place;
    if (!place) return;
    const { share, seconds, row } = place;
    const { edges, ribbons } = this.#data;
    const { name, values } = ribbons.find(({ label }) => label === row.dataset.label);
    const window = clamp(edges.findLastIndex((edge) => edge <= seconds), 0, values.length - 1);
    hint.textContent = `Why ${name.toLowerCase()} at ${clock(seconds, 1)}? · ${Math.round(100 * values[window])} % sure`;
    hint.classList.toggle("left", share > 0.5);
    pointer.style.left = hint.style.left = `${100 * share}%`;
    hint.style.top = `${row.getBoundingClientRect().top - stage.getBoundingClientRect().top}px`;
  }

  #unpoint() {
    this.parts.pointer.hidden = this.parts.hint.hidden = true;
  }

  /** Rows are made anew only where the instruments differ, so that focus survives reruns. */
  #drawRibbons() {
    const { ribbons, edges, duration } = this.#data;
    const { ribbons: rows } = this.parts;
    const labels = ribbons.map(({ label }) => label);
    const made = [...rows.children].map((row) => row.dataset.label);
    if (JSON.stringify(made) !== JSON.stringify(labels)) rows.replaceChildren(...labels.map(row));
    ribbons.forEach(({ name, color, values, shown }, index) => {
      const { firstElementChild: button, lastElementChild: svg } = rows.children[index];
      rows.children[index].dataset.shown = shown;
      rows.children[index].style.setProperty("--color", color);
      button.textContent = name;
      button.title = `Why ${name.toLowerCase()}, at the cursor?`;
      button.setAttribute("aria-label", `Why ${name.toLowerCase()} at the cursor?`);
      svg.setAttribute("viewBox", `0 0 ${duration} 1`);
      const steps = values.map((value, i) => `V${1 - value}H${edges[i + 1]}`).join("");
      svg.firstElementChild.setAttribute("d", `M0 1${steps}V1Z`);
    });
  }

  #drawAxis() {
    if (!this.#data) return;
    drawTimeAxis(this.parts["time-axis"], 0, this.#data.duration, this.parts.overview.clientWidth);
  }

  #follow(seconds) {
    this.#heard = seconds;
    if (!this.#data) return;
    this.parts.playhead.style.left = `${100 * clamp(seconds / this.#data.duration, 0, 1)}%`;
    this.root.dataset.playhead = seconds.toFixed(3);
  }
}

function row(label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); // the button before it does the same from the keyboard
  svg.append(document.createElementNS(SVG, "path"));
  return element("div", { class: "ribbon", "data-label": label }, element("button", { type: "button" }), svg);
}

const strips = new WeakMap(); // root element -> Strip

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".strip");
  if (!strips.has(root)) strips.set(root, new Strip(root));
  const strip = strips.get(root);
  strip.update(data, setTriggerValue);
  // Streamlit cleans up before every update as well; only a strip that is gone lets go of the page.
  return () => setTimeout(() => root.isConnected || (strips.delete(root), strip.dispose()));
}
