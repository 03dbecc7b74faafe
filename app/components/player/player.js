// The picture and its controls. Streamlit calls the default export at the first mount and whenever the data change.

const TIME_STEPS_S = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];
const TICK_PX = 72; // between two labels of the time axis, at least
const DRAG_PX = 5; // a shorter drag is a click
const SHORTEST_LOOP_S = 0.05;
const REPORT_MS = 100;

function clock(seconds, digits) {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes}:${rest.toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

async function paint(canvas, url) {
  canvas.hidden = !url;
  if (!url || canvas.dataset.url === url) return;
  canvas.dataset.url = url;
  const bitmap = await createImageBitmap(await (await load(url)).blob());
  if (canvas.dataset.url !== url) return; // a later picture was asked for meanwhile
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d").drawImage(bitmap, 0, 0);
}

class Player {
  deck = new Deck();
  turn = 0; // counts updates: only the latest may commit what it loaded, or dispose of the player
  #data = null;
  #loading = true;
  #error = "";
  #selected = null; // switch: name of the audible track
  #muted = new Set(); // mixer: names
  #soloed = new Set();
  #reportedAt = 0;
  #frame = 0;

  constructor(root) {
    this.root = root;
    this.parts = {};
    for (const part of root.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    this.listening = new AbortController();
    this.resizing = new ResizeObserver(() => this.#drawTimeAxis());
    this.resizing.observe(this.parts.plot);
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: this.listening.signal });
    on(root, "click", (event) => this.#clicked(event));
    on(root, "keydown", (event) => this.#pressed(event));
    on(this.parts.opacity, "input", () => this.#showOpacity());
    on(this.parts.plot, "pointerdown", (event) => event.button === 0 && this.#dragged(event));
    onOthers(this, () => this.deck.playing && this.#pause(), this.listening.signal);
    this.#showOpacity();
  }

  async update(data) {
    const turn = ++this.turn;
    this.#data = data;
    this.#loading = true;
    this.#error = "";
    this.#showData();
    try {
      const sounds = await this.#loadSounds(data);
      if (turn !== this.turn) return;
      this.deck.replace(sounds, data.duration);
    } catch (error) {
      if (turn !== this.turn) return;
      this.deck.pause();
      this.#error = error.message;
    }
    this.#loading = false;
    this.#showLoop(this.deck.loop);
    this.#show();
  }

  dispose() {
    this.turn = -1;
    cancelAnimationFrame(this.#frame);
    this.listening.abort();
    this.resizing.disconnect();
    this.deck.close();
  }

  async #loadSounds({ tracks, sampleRate }) {
    const loaded = tracks.map(async ({ name, url }) => {
      const known = this.deck.sounds.get(name);
      if (known?.url === url) return [name, known];
      try {
        return [name, { url, buffer: await loadSound(url, sampleRate) }];
      } catch (error) {
        throw new Error(`“${name}” cannot be played: ${error.message}.`);
      }
    });
    return new Map(await Promise.all(loaded));
  }

  // --- what the user does -------------------------------------------------------------------------------------------

  #clicked(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const { action, trackName, layer } = button.dataset;
    const toggle = (set) => set.delete(trackName) || set.add(trackName);
    const actions = {
      play: () => this.#togglePlay(),
      "clear-loop": () => this.#setLoop(null),
      track: () => (this.#selected = trackName),
      mute: () => toggle(this.#muted),
      solo: () => toggle(this.#soloed),
      layer: () => this.#toggleLayer(button, layer),
    };
    actions[action]();
    if (event.detail) this.parts.plot.focus({ preventScroll: true }); // after a mouse click, keys act on the player
    this.#show();
  }

  #pressed(event) {
    const { deck } = this;
    const [low, high] = deck.loop ? [deck.loop.start, deck.loop.end - SHORTEST_LOOP_S] : [0, deck.duration];
    const seek = (position) => this.#seek(Math.min(Math.max(position, low), high));
    const actions = {
      " ": () => this.#togglePlay(),
      ArrowLeft: () => seek(deck.position - 1),
      ArrowRight: () => seek(deck.position + 1),
      Home: () => seek(0),
    };
    const own = event.target.matches(event.key === " " ? "button" : "input"); // keys that the focused control needs
    if (own || event.ctrlKey || event.metaKey || event.altKey || !(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
    this.#show();
  }

  /** From pointerdown to pointerup: a click seeks, a drag selects the loop. */
  #dragged(down) {
    const { plot } = this.parts;
    const box = plot.getBoundingClientRect();
    const seconds = (event) => Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.deck.duration;
    const region = (event) => {
      if (Math.abs(event.clientX - down.clientX) < DRAG_PX) return null;
      const [start, end] = [seconds(down), seconds(event)].sort((a, b) => a - b);
      return end - start >= SHORTEST_LOOP_S ? { start, end } : null;
    };
    const dragging = new AbortController();
    const { signal } = dragging;
    const finish = () => {
      dragging.abort();
      this.#showLoop(this.deck.loop);
      this.#show();
    };
    plot.setPointerCapture(down.pointerId);
    plot.addEventListener("pointermove", (event) => this.#showLoop(region(event) ?? this.deck.loop), { signal });
    plot.addEventListener("pointercancel", finish, { signal });
    plot.addEventListener("pointerup", (up) => {
      const loop = region(up);
      if (loop) this.#setLoop(loop);
      else this.#seek(seconds(up));
      finish();
    }, { signal });
  }

  #togglePlay() {
    if (this.parts.play.disabled) return;
    if (this.deck.playing) return this.deck.pause();
    announce(this);
    this.deck.play(this.#data.sampleRate);
    this.#tick();
  }

  #pause() {
    this.deck.pause();
    this.#show();
  }

  #seek(position) {
    const { loop } = this.deck;
    if (loop && (position < loop.start || position >= loop.end)) this.#setLoop(null);
    this.deck.seek(position);
  }

  #setLoop(loop) {
    this.deck.setLoop(loop);
    this.#showLoop(loop);
  }

  #toggleLayer(button, layer) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    this.parts[layer].classList.toggle("off", !shown);
  }

  // --- what is shown ------------------------------------------------------------------------------------------------

  /** What depends on the data alone. */
  #showData() {
    const { root, parts } = this;
    const { title, label, height, duration, spectrogram, ticks, overlay } = this.#data;
    parts.title.textContent = title;
    parts.title.hidden = !title;
    root.setAttribute("aria-label", label);
    parts.plot.setAttribute("aria-label", `Position in ${label}`);
    parts.tracks.setAttribute("aria-label", `Tracks of ${label}`);
    root.style.setProperty("--height", `${height}px`);
    root.dataset.duration = duration;
    parts.total.textContent = ` / ${clock(duration, 1)}`;
    parts.plot.setAttribute("aria-valuemax", duration);
    parts["frequency-axis"].replaceChildren(
      ...ticks.map((tick) => element("span", { style: `bottom: ${100 * tick.height}%` }, tick.label)),
    );
    parts.overlay.hidden = !overlay;
    parts["overlay-name"].textContent = overlay?.name ?? "";
    const layers = overlay?.layers ?? {};
    for (const button of parts.overlay.querySelectorAll("button")) button.hidden = !(button.dataset.layer in layers);
    root.classList.toggle("has-overlay", Boolean(overlay));
    const pictures = { spectrogram, for: layers.for, against: layers.against };
    for (const [part, url] of Object.entries(pictures)) this.#paint(part, url);
    this.#drawTimeAxis();
    this.#showTracks();
    this.#show();
  }

  async #paint(part, url) {
    try {
      await paint(this.parts[part], url);
    } catch {
      delete this.parts[part].dataset.url; // the sound is of use without its picture; a rerun tries again
    }
    this.#smooth();
  }

  /** Pixels stay crisp when magnified; a long song is shrunk, where skipping pixels would flicker. */
  #smooth() {
    const shown = this.parts.plot.clientWidth * devicePixelRatio;
    for (const canvas of this.parts.plot.querySelectorAll("canvas")) {
      canvas.classList.toggle("crisp", canvas.width <= shown);
    }
  }

  #drawTimeAxis() {
    if (!this.#data) return;
    this.#smooth();
    const { duration } = this.#data;
    const room = Math.max(this.parts.plot.clientWidth / TICK_PX, 1);
    const step = TIME_STEPS_S.find((seconds) => duration / seconds <= room) ?? TIME_STEPS_S.at(-1);
    const label = (seconds) => (duration < 60 ? `${+seconds.toFixed(1)} s` : clock(seconds, 0));
    const ticks = Array.from({ length: Math.floor(duration / step + 1e-6) + 1 }, (_, i) => i * step);
    this.parts["time-axis"].replaceChildren(
      ...ticks.map((seconds) => {
        const share = seconds / duration;
        const side = share === 0 ? "first" : share > 0.97 ? "last" : "";
        return element("span", { class: side, style: `left: ${100 * share}%` }, label(seconds));
      }),
    );
  }

  /** The buttons of the tracks; made anew only where names, colours or mode differ, so that focus survives reruns. */
  #showTracks() {
    const { tracks, mode } = this.#data;
    const wanted = JSON.stringify([mode, tracks.map(({ name, color }) => [name, color])]);
    if (this.parts.tracks.dataset.shown === wanted) return;
    this.parts.tracks.dataset.shown = wanted;
    this.parts.tracks.className = `tracks ${mode}`;
    const button = (action, name, text, label) =>
      element("button", { type: "button", "data-action": action, "data-track-name": name, "aria-label": label }, text);
    const strip = ({ name, color }) => {
      const own = { class: "track", style: `--color: ${color}` };
      if (mode === "switch") return element("span", own, button("track", name, name, name));
      const buttons = [button("mute", name, "M", `Mute ${name}`), button("solo", name, "S", `Solo ${name}`)];
      return element("span", { ...own, "data-track-name": name }, element("span", { class: "name" }, name), ...buttons);
    };
    this.parts.tracks.replaceChildren(...tracks.map(strip));
    const names = tracks.map(({ name }) => name);
    if (!names.includes(this.#selected)) this.#selected = names[0];
  }

  #audible() {
    const names = this.#data.tracks.map(({ name }) => name);
    if (this.#data.mode === "switch") return [this.#selected];
    const soloed = names.filter((name) => this.#soloed.has(name));
    return soloed.length ? soloed : names.filter((name) => !this.#muted.has(name));
  }

  /** What depends on the state. */
  #show() {
    const { root, parts, deck } = this;
    const audible = this.#audible();
    const pressed = {
      track: (name) => name === this.#selected,
      mute: (name) => this.#muted.has(name),
      solo: (name) => this.#soloed.has(name),
    };
    for (const button of parts.tracks.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", pressed[button.dataset.action](button.dataset.trackName));
    }
    for (const track of parts.tracks.children) {
      track.classList.toggle("audible", audible.includes(track.querySelector("button").dataset.trackName));
    }
    deck.setAudible(audible);
    root.dataset.track = audible.join(", ");
    root.dataset.state = this.#state();
    root.setAttribute("aria-busy", this.#loading);
    parts.play.disabled = !deck.sounds.size || Boolean(this.#error);
    parts.play.setAttribute("aria-label", `${deck.playing ? "Pause" : "Play"} ${this.#data.label}`);
    parts.status.textContent = this.#error || (this.#loading ? "Loading sound…" : "");
    parts.status.setAttribute("role", this.#error ? "alert" : "status");
    this.#report();
  }

  #state() {
    if (this.#error) return "error";
    if (this.deck.playing) return "playing";
    if (this.#loading) return "loading";
    return this.deck.started ? "paused" : "ready";
  }

  #showLoop(loop) {
    const { root, parts, deck } = this;
    root.dataset.loop = deck.loop ? `${deck.loop.start.toFixed(3)},${deck.loop.end.toFixed(3)}` : "";
    parts.clear.hidden = !deck.loop;
    parts.loop.hidden = !loop;
    if (!loop) return;
    parts.loop.style.left = `${(100 * loop.start) / deck.duration}%`;
    parts.loop.style.width = `${(100 * (loop.end - loop.start)) / deck.duration}%`;
  }

  #showOpacity() {
    const { value } = this.parts.opacity;
    this.root.style.setProperty("--opacity", value);
    this.root.dataset.opacity = value;
  }

  /** Every frame while playing. */
  #tick() {
    cancelAnimationFrame(this.#frame);
    const { deck } = this;
    if (deck.playing && !deck.loop && deck.position >= deck.duration) this.#pause();
    if (!deck.playing) return;
    this.#moveCursor();
    if (performance.now() - this.#reportedAt >= REPORT_MS) this.#report();
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  #moveCursor() {
    const share = this.deck.position / (this.deck.duration || 1);
    this.parts.cursor.style.transform = `translateX(${share * this.parts.plot.clientWidth}px)`;
  }

  #report() {
    this.#reportedAt = performance.now();
    const { root, parts, deck } = this;
    const { position } = deck;
    this.#moveCursor();
    root.dataset.position = position.toFixed(3);
    root.dataset.level = deck.level().toFixed(5);
    parts.now.textContent = clock(position, 1);
    parts.plot.setAttribute("aria-valuenow", position.toFixed(1));
    parts.plot.setAttribute("aria-valuetext", `${position.toFixed(1)} seconds`);
  }
}

const players = new WeakMap(); // root element -> Player

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".player");
  if (!players.has(root)) players.set(root, new Player(root));
  const player = players.get(root);
  player.update(data);
  const { turn } = player;
  return () => {
    if (turn !== player.turn) return; // Streamlit also cleans up after a call that a newer one has overtaken
    players.delete(root);
    player.dispose();
  };
}
