// The picture and its controls. Streamlit calls the default export at the first mount and whenever the data change.

const DRAG_PX = 5; // a shorter drag is a click
const SHORTEST_LOOP_S = 0.05;
const REPORT_MS = 100;
const CLOSEST_S = 0.25; // the least time that can be zoomed to
const FEWEST_BANDS = 12; // the fewest frequencies that can be zoomed to
const PINCH_PX = 40; // fingers that are closer than this in one direction leave it as it is
const PAN = 0.1; // share of what is in view that a key moves it by
const FOLLOW = 0.05; // where in the view the cursor stands when the view has followed it
const NOTE_PX = 3;
const FREQUENCY_TICK_PX = 12; // between two labels of the frequency axis, at least
const FEW_TICKS = 3; // with fewer labels than this, frequencies that are less round get one, too
const ROUND_HZ = [100, 200, 500, 1000, 2000, 5000, 10000];
const LESS_ROUND_HZ = [50, 100, 1000, 10000].flatMap((decade) => [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * decade));

async function picture(url) {
  return createImageBitmap(await (await load(url)).blob());
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
  #equal = true; // whether tracks that have a gain are made equally loud
  #offset = 0; // second of the song at which the deck's sounds begin
  #view = { from: 0, to: 1, low: 0, high: 1 }; // what is in view: shares of the duration and of the bands
  #pictures = new Map(); // part -> {url, bitmap}
  #fingers = new Map(); // pointers that are down: id -> event
  #dragging = null; // aborts the drag under way
  #told = 0; // second of the song that was told last: a player that nobody touched says nothing
  #inView = true; // whether the cursor was, when it was last drawn
  #reportedAt = 0;
  #frame = 0;
  #leader = null; // the linked player that sounded last

  constructor(root) {
    this.root = root;
    this.parts = {};
    for (const part of root.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    this.listening = new AbortController();
    this.resizing = new ResizeObserver(() => this.#drawView());
    this.resizing.observe(this.parts.plot);
    const on = (target, type, handle) => target.addEventListener(type, handle, { signal: this.listening.signal });
    on(root, "click", (event) => this.#clicked(event));
    on(root, "keydown", (event) => this.#pressed(event));
    on(this.parts.opacity, "input", () => {
      this.#showOpacity();
      this.#tell({ opacity: this.parts.opacity.value });
    });
    const { plot } = this.parts;
    on(plot, "pointerdown", (event) => event.button === 0 && this.#touched(event));
    on(plot, "pointermove", (event) => this.#pointed(event));
    on(plot, "pointerleave", () => (this.parts.readout.hidden = true));
    for (const end of ["pointerup", "pointercancel"]) on(plot, end, (event) => this.#fingers.delete(event.pointerId));
    plot.addEventListener("wheel", (event) => this.#wheeled(event), { signal: this.listening.signal, passive: false });
    onOthers(this, () => this.deck.playing && this.#pause(), this.listening.signal);
    onSeek((seconds) => this.#askedToSeek(seconds), this.listening.signal);
    onGroup((told) => this.#heardOf(told), this.listening.signal);
    this.#showOpacity();
  }

  async update(data) {
    const turn = ++this.turn;
    if (data.offset !== this.#data?.offset || data.duration !== this.#data?.duration) {
      [this.#view.from, this.#view.to] = [0, 1];
    }
    this.#data = data;
    this.#loading = true;
    this.#error = "";
    this.#showData();
    try {
      const sounds = await this.#loadSounds(data);
      if (turn !== this.turn) return;
      const joining = !this.deck.duration;
      this.deck.replace(sounds, data.duration, this.#offset - data.offset);
      this.#offset = data.offset;
      if (joining) tellGroup(this, data.group, null);
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
      levels: () => (this.#equal = button.dataset.levels === "equal"),
      zoom: () => this.#zoom(+button.dataset.time, +button.dataset.frequency),
      "reset-zoom": () => this.#showAll(),
    };
    if (button.closest(".tracks, .levels")) this.#takeOver();
    actions[action]();
    if (event.detail) this.parts.plot.focus({ preventScroll: true }); // after a mouse click, keys act on the player
    this.#show();
  }

  #pressed(event) {
    const { deck } = this;
    const [low, high] = deck.loop ? [deck.loop.start, deck.loop.end - SHORTEST_LOOP_S] : [0, deck.duration];
    const seek = (position) => {
      this.#takeOver();
      this.#seek(clamp(position, low, high));
    };
    const actions = {
      " ": () => this.#togglePlay(),
      ArrowLeft: () => seek(deck.position - 1),
      ArrowRight: () => seek(deck.position + 1),
      ArrowUp: () => this.#pan(0, PAN),
      ArrowDown: () => this.#pan(0, -PAN),
      Home: () => seek(0),
      l: () => this.#toggleLoop(),
      "+": () => this.#zoom(2, 1),
      "-": () => this.#zoom(0.5, 1),
      0: () => this.#showAll(),
    };
    this.#data.tracks.slice(0, 9).forEach(({ name }, index) => (actions[index + 1] = () => this.#chooseTrack(name)));
    if (this.#view.high - this.#view.low === 1) {
      delete actions.ArrowUp; // nothing to move: the keys scroll the page
      delete actions.ArrowDown;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const own = event.target.matches(event.key === " " ? "button" : "input"); // keys that the focused control needs
    if (own || event.ctrlKey || event.metaKey || event.altKey || !(key in actions)) return;
    event.preventDefault();
    actions[key]();
    this.#show();
  }

  #chooseTrack(name) {
    this.#takeOver();
    if (this.#data.mode === "switch") this.#selected = name;
    else this.#soloed.delete(name) || this.#soloed.add(name);
  }

  /** Loops what is in view, or ends the loop. */
  #toggleLoop() {
    const { from, to } = this.#view;
    const { duration } = this.deck;
    this.#setLoop(this.deck.loop ? null : { start: from * duration, end: to * duration });
  }

  /** One pointer seeks and selects, two fingers zoom. */
  #touched(down) {
    this.#fingers.set(down.pointerId, down);
    this.parts.plot.setPointerCapture(down.pointerId);
    if (this.#fingers.size === 1) return this.#dragged(down);
    this.#dragging?.();
    if (this.#fingers.size === 2) this.#pinched();
  }

  #pinched() {
    const { plot } = this.parts;
    const box = plot.getBoundingClientRect();
    const spread = () => {
      const [a, b] = [...this.#fingers.values()];
      return {
        width: Math.abs(a.clientX - b.clientX),
        height: Math.abs(a.clientY - b.clientY),
        x: ((a.clientX + b.clientX) / 2 - box.left) / box.width,
        y: (box.bottom - (a.clientY + b.clientY) / 2) / box.height,
      };
    };
    const factor = (now, before) => (Math.min(now, before) < PINCH_PX ? 1 : now / before);
    const pinching = new AbortController();
    let last = spread();
    const moved = (event) => {
      if (!this.#fingers.has(event.pointerId)) return;
      this.#fingers.set(event.pointerId, event);
      const next = spread();
      this.#pan(last.x - next.x, last.y - next.y);
      this.#zoom(factor(next.width, last.width), factor(next.height, last.height), next);
      last = next;
    };
    plot.addEventListener("pointermove", moved, { signal: pinching.signal });
    for (const end of ["pointerup", "pointercancel"]) {
      plot.addEventListener(end, () => pinching.abort(), { signal: pinching.signal });
    }
  }

  /** With Ctrl (as a trackpad's pinch comes, too) the wheel zooms; sideways it moves what is zoomed in. */
  #wheeled(event) {
    const { plot } = this.parts;
    const box = plot.getBoundingClientRect();
    const at = { x: (event.clientX - box.left) / box.width, y: (box.bottom - event.clientY) / box.height };
    const turned = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    const sideways = event.shiftKey || turned === event.deltaX;
    if (event.ctrlKey || event.metaKey) {
      const factor = 2 ** clamp(-turned / 100, -1, 1);
      this.#zoom(event.shiftKey ? 1 : factor, event.shiftKey ? factor : 1, at);
    } else if (sideways && this.#view.to - this.#view.from < 1) this.#pan(turned / box.width, 0);
    else return; // the page scrolls
    event.preventDefault();
  }

  /** What lies under the pointer, in words. */
  #pointed(event) {
    const { readout, plot } = this.parts;
    const box = plot.getBoundingClientRect();
    const [x, y] = [(event.clientX - box.left) / box.width, (box.bottom - event.clientY) / box.height];
    readout.hidden = x < 0 || x > 1 || y < 0 || y > 1;
    if (readout.hidden) return;
    const hz = this.#hzAt(y);
    const seconds = this.#data.offset + this.#shareAt(x) * this.#data.duration;
    const tone = hz < 1000 ? `${hz.toFixed(0)} Hz` : `${(hz / 1000).toFixed(2)} kHz`;
    readout.textContent = `${seconds < 60 ? `${seconds.toFixed(2)} s` : clock(seconds, 2)} · ${tone} · ${noteName(hz)}`;
    readout.classList.toggle("left", x > 0.5);
  }

  /** From pointerdown to pointerup: a click seeks, a drag selects the loop. */
  #dragged(down) {
    const { plot } = this.parts;
    const box = plot.getBoundingClientRect();
    const seconds = (event) => this.#shareAt(clamp((event.clientX - box.left) / box.width, 0, 1)) * this.deck.duration;
    const region = (event) => {
      if (Math.abs(event.clientX - down.clientX) < DRAG_PX) return null;
      const [start, end] = [seconds(down), seconds(event)].sort((a, b) => a - b);
      return end - start >= SHORTEST_LOOP_S ? { start, end } : null;
    };
    const dragging = new AbortController();
    const { signal } = dragging;
    const finish = () => {
      dragging.abort();
      this.#dragging = null;
      this.#showLoop(this.deck.loop);
      this.#show();
    };
    this.#dragging = finish;
    plot.addEventListener("pointermove", (event) => this.#showLoop(region(event) ?? this.deck.loop), { signal });
    plot.addEventListener("pointercancel", finish, { signal });
    plot.addEventListener("pointerup", (up) => {
      const loop = region(up);
      this.#takeOver();
      if (loop) this.#setLoop(loop);
      else this.#seek(seconds(up));
      finish();
    }, { signal });
  }

  #togglePlay() {
    if (this.parts.play.disabled) return;
    if (this.deck.playing) this.#pause();
    else this.#play();
  }

  #play() {
    announce(this); // a linked player that sounds says where it stops
    this.deck.play(this.#data.sampleRate);
    this.#tick();
  }

  #pause() {
    this.deck.pause();
    this.#tell({ position: this.#now() });
    this.#show();
  }

  #seek(position) {
    const { loop } = this.deck;
    if (loop && (position < loop.start || position >= loop.end)) this.#setLoop(null);
    this.deck.seek(position);
    this.#tell({ position: this.#now() });
    this.#follow();
  }

  #askedToSeek(seconds) {
    const position = seconds - this.#offset;
    if (position < 0 || position > this.deck.duration) return;
    this.#seek(position);
    this.#show();
  }

  #setLoop(loop) {
    this.deck.setLoop(loop);
    this.#showLoop(loop);
    this.#tell({ loop: this.#loopInSong() });
  }

  /** The loop in seconds of the song. */
  #loopInSong() {
    const { loop } = this.deck;
    return loop && { start: this.#offset + loop.start, end: this.#offset + loop.end };
  }

  #toggleLayer(button, layer) {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", shown);
    if (layer === "notes") this.#drawNotes();
    else this.parts[layer].classList.toggle("off", !shown);
  }

  // --- players that are linked --------------------------------------------------------------------------------------

  #tell(changes) {
    tellGroup(this, this.#data.group, changes);
  }

  /** Sounds in the place of a linked player, if one sounds. */
  #takeOver() {
    if (this.#leader?.deck.playing && !this.parts.play.disabled) this.#play();
  }

  #heardOf({ source, group, changes }) {
    if (source === this || group !== this.#data?.group || !this.deck.duration) return;
    if (changes) return this.follow(source, changes);
    const [loop, view] = [this.#loopInSong(), { ...this.#view }];
    source.follow(this, { loop, position: this.#now(), view, opacity: this.parts.opacity.value });
  }

  /** Does what a linked player did. */
  follow(source, { loop, position, view, opacity }) {
    const { deck, parts } = this;
    if (source.deck.playing) this.#leader = source;
    if (loop !== undefined) this.#takeLoop(loop);
    if (position !== undefined) deck.seek(position - this.#offset);
    this.#told = this.#now(); // the other one told it
    if (opacity !== undefined) {
      parts.opacity.value = opacity;
      this.#showOpacity();
    }
    if (view) {
      Object.assign(this.#view, view);
      this.#drawView();
    }
    this.#moveCursor();
    if (!source.deck.playing || this.#isReportDue()) this.#report();
  }

  #takeLoop(loop) {
    const within = (seconds) => clamp(seconds - this.#offset, 0, this.deck.duration);
    this.deck.setLoop(loop && { start: within(loop.start), end: within(loop.end) });
    this.#showLoop(this.deck.loop);
  }

  // --- what part of the picture is in view --------------------------------------------------------------------------

  /** Share of the duration at a share of the picture's width. */
  #shareAt(x) {
    return this.#view.from + x * (this.#view.to - this.#view.from);
  }

  /** Share of the picture's width at a share of the duration. */
  #xAt(share) {
    return (share - this.#view.from) / (this.#view.to - this.#view.from);
  }

  /** Frequency at a share of the picture's height. Bands are equally high, whatever their distance in Hz. */
  #hzAt(y) {
    const { bandHz } = this.#data;
    const band = clamp((this.#view.low + y * (this.#view.high - this.#view.low)) * bandHz.length - 0.5, 0, bandHz.length - 1);
    const below = Math.min(Math.floor(band), Math.max(bandHz.length - 2, 0));
    return bandHz[below] + (band - below) * ((bandHz[below + 1] ?? bandHz[below]) - bandHz[below]);
  }

  /** Share of the picture's height at a frequency; beyond 0 or 1 where it is not in view. */
  #yAt(hz) {
    const { bandHz } = this.#data;
    if (hz < bandHz[0] || hz > bandHz.at(-1)) return NaN;
    const above = Math.max(bandHz.findIndex((band) => band >= hz), 1);
    const [lower, upper] = [bandHz[above - 1], bandHz[above] ?? bandHz[above - 1] + 1];
    const share = (above - 1 + (hz - lower) / (upper - lower) + 0.5) / bandHz.length;
    return (share - this.#view.low) / (this.#view.high - this.#view.low);
  }

  /** Zooms by factors above 1 in, below 1 out; what is at `at` (shares of width and height) stays there. */
  #zoom(time, frequency, at = { x: this.#inView ? this.#xAt(this.#share()) : 0.5, y: 0 }) {
    const { from, to, low, high } = this.#view;
    const zoomed = (start, end, factor, least, x) => {
      const span = clamp((end - start) / factor, Math.min(least, 1), 1);
      const first = clamp(start + x * (end - start - span), 0, 1 - span);
      return [first, first + span];
    };
    [this.#view.from, this.#view.to] = zoomed(from, to, time, CLOSEST_S / this.#data.duration, clamp(at.x, 0, 1));
    [this.#view.low, this.#view.high] = zoomed(low, high, frequency, FEWEST_BANDS / this.#data.bandHz.length, at.y);
    this.#lookThere();
  }

  /** Moves what is in view by shares of its width and height. */
  #pan(x, y) {
    const { from, to, low, high } = this.#view;
    const moved = (start, end, share) => {
      const first = clamp(start + share * (end - start), 0, 1 - (end - start));
      return [first, first + end - start];
    };
    [this.#view.from, this.#view.to] = moved(from, to, x);
    [this.#view.low, this.#view.high] = moved(low, high, y);
    this.#lookThere();
  }

  #showAll() {
    this.#view = { from: 0, to: 1, low: 0, high: 1 };
    this.#lookThere();
  }

  /** Draws the view that the user chose, here and in linked players. */
  #lookThere() {
    this.#drawView();
    this.#tell({ view: { ...this.#view } });
  }

  /** Moves the view to the cursor where that is outside it. */
  #follow() {
    const x = this.#xAt(this.#share());
    if (x < 0 || x >= 1) this.#pan(x - FOLLOW, 0);
  }

  // --- what is shown ------------------------------------------------------------------------------------------------

  /** What depends on the data alone. */
  #showData() {
    const { root, parts } = this;
    const { title, label, height, duration, offset, spectrogram, overlay, notes, tracks, mode } = this.#data;
    parts.title.textContent = title;
    parts.title.hidden = !title;
    root.setAttribute("aria-label", label);
    parts.plot.setAttribute("aria-label", `Position in ${label}`);
    parts.tracks.setAttribute("aria-label", `Tracks of ${label}`);
    root.style.setProperty("--height", `${height}px`);
    root.dataset.duration = duration;
    root.dataset.offset = offset;
    parts.total.textContent = ` / ${clock(offset + duration, 1)}`;
    parts.plot.setAttribute("aria-valuemin", offset);
    parts.plot.setAttribute("aria-valuemax", offset + duration);
    const layers = { ...overlay?.layers, ...(notes.length && { notes: true }) };
    parts.overlay.hidden = !overlay && !notes.length;
    parts["overlay-name"].textContent = overlay?.name ?? "";
    parts["opacity-label"].hidden = !overlay;
    for (const button of parts.overlay.querySelectorAll("button")) button.hidden = !(button.dataset.layer in layers);
    root.classList.toggle("has-overlay", Boolean(overlay));
    const pictures = { spectrogram, for: layers.for, against: layers.against };
    for (const [part, url] of Object.entries(pictures)) this.#paint(part, url);
    parts.levels.hidden = mode !== "switch" || tracks.every(({ gain }) => gain === 1);
    this.#drawView();
    this.#showTracks();
    this.#show();
  }

  async #paint(part, url) {
    if (this.#pictures.get(part)?.url === url) return;
    const loading = { url };
    this.#pictures.set(part, loading);
    try {
      loading.bitmap = url && (await picture(url));
    } catch {
      loading.url = null; // the sound is of use without its picture; a rerun tries again
    }
    if (this.#pictures.get(part) === loading) this.#draw(part); // else a later picture was asked for meanwhile
  }

  /** All that changes with what is in view, or with the size of the picture. */
  #drawView() {
    if (!this.#data) return;
    const { parts, root } = this;
    const { from, to, low, high } = this.#view;
    const { offset, duration } = this.#data;
    drawTimeAxis(parts["time-axis"], offset + from * duration, offset + to * duration, parts.plot.clientWidth);
    this.#drawFrequencyAxis();
    for (const part of this.#pictures.keys()) this.#draw(part);
    this.#drawNotes();
    this.#showLoop(this.deck.loop);
    this.#moveCursor();
    root.dataset.zoom = `${(1 / (to - from)).toFixed(2)},${(1 / (high - low)).toFixed(2)}`;
    parts.reset.disabled = to - from === 1 && high - low === 1;
  }

  #drawFrequencyAxis() {
    const height = this.parts.plot.clientHeight || 1;
    const spaced = (all) => {
      let last = -Infinity;
      return all.flatMap((hz) => {
        const y = this.#yAt(hz);
        if (!(y >= 0 && y <= 1) || (y - last) * height < FREQUENCY_TICK_PX) return [];
        last = y;
        return [{ y, hz }];
      });
    };
    const round = spaced(ROUND_HZ);
    const ticks = round.length < FEW_TICKS ? spaced(LESS_ROUND_HZ) : round;
    const label = (hz) => (hz < 1000 ? `${hz}` : `${hz / 1000}k`);
    this.parts["frequency-axis"].replaceChildren(
      ...ticks.map(({ y, hz }) => element("span", { style: `bottom: ${100 * y}%` }, label(hz))),
    );
  }

  /** Makes a canvas as fine as the screen, and gives its context. */
  #fitted(canvas) {
    const { plot } = this.parts;
    const fine = (px) => Math.max(1, Math.round(px * devicePixelRatio));
    [canvas.width, canvas.height] = [fine(plot.clientWidth), fine(plot.clientHeight)];
    return canvas.getContext("2d");
  }

  #draw(part) {
    const canvas = this.parts[part];
    const { bitmap } = this.#pictures.get(part);
    canvas.hidden = !bitmap;
    if (!bitmap) return;
    const { from, to, low, high } = this.#view;
    const context = this.#fitted(canvas);
    const { width, height } = bitmap;
    // Cells stay crisp when magnified; a long song is shrunk, where skipping cells would flicker.
    context.imageSmoothingEnabled = (to - from) * width > canvas.width;
    context.imageSmoothingQuality = "high";
    const cut = [from * width, (1 - high) * height, (to - from) * width, (high - low) * height];
    context.drawImage(bitmap, ...cut, 0, 0, canvas.width, canvas.height);
  }

  #drawNotes() {
    const canvas = this.parts.notes;
    const button = this.parts.overlay.querySelector('[data-layer="notes"]');
    canvas.hidden = !this.#data.notes.length || button.getAttribute("aria-pressed") !== "true";
    if (canvas.hidden) return;
    const context = this.#fitted(canvas);
    const { offset, duration } = this.#data;
    for (const [width, ink] of [[NOTE_PX + 2, () => "#000"], [NOTE_PX, (color) => color]]) {
      context.lineWidth = width * devicePixelRatio;
      for (const { start, end, hz, color } of this.#data.notes) {
        const y = (1 - this.#yAt(hz)) * canvas.height;
        const [left, right] = [start, end].map((seconds) => this.#xAt((seconds - offset) / duration) * canvas.width);
        context.strokeStyle = ink(color);
        context.beginPath();
        context.moveTo(left, y);
        context.lineTo(right, y);
        context.stroke();
      }
    }
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
    for (const button of parts.levels.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", (button.dataset.levels === "equal") === this.#equal);
    }
    const leveled = !parts.levels.hidden && this.#equal;
    const gains = new Map(this.#data.tracks.map(({ name, gain }) => [name, leveled ? gain : 1]));
    deck.setVolumes(new Map(audible.map((name) => [name, gains.get(name)])));
    root.dataset.levels = parts.levels.hidden ? "" : this.#equal ? "equal" : "true";
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
    const inSong = (seconds) => (this.#offset + seconds).toFixed(3);
    root.dataset.loop = deck.loop ? `${inSong(deck.loop.start)},${inSong(deck.loop.end)}` : "";
    parts.clear.hidden = !deck.loop;
    parts.loop.hidden = !loop;
    if (!loop) return;
    const [left, right] = [loop.start, loop.end].map((seconds) => this.#xAt(seconds / deck.duration));
    parts.loop.style.left = `${100 * left}%`;
    parts.loop.style.width = `${100 * (right - left)}%`;
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
    this.#tell({ position: this.#now() });
    if (this.#isReportDue()) this.#report();
    this.#frame = requestAnimationFrame(() => this.#tick());
  }

  /** Second of the song at which the deck is. */
  #now() {
    return this.#offset + this.deck.position;
  }

  /** The same as a share of the picture. */
  #share() {
    return (this.#now() - this.#data.offset) / this.#data.duration;
  }

  #moveCursor() {
    const x = this.#xAt(this.#share());
    const inView = x >= 0 && x <= 1;
    const left = this.#inView && !inView && this.deck.playing; // it ran out of the view, not the view away from it
    this.#inView = inView;
    if (left) return this.#follow();
    this.parts.cursor.hidden = !inView;
    this.parts.cursor.style.transform = `translateX(${x * this.parts.plot.clientWidth}px)`;
    if (this.#now() !== this.#told) tellPosition((this.#told = this.#now()));
  }

  #isReportDue() {
    return performance.now() - this.#reportedAt >= REPORT_MS;
  }

  #report() {
    this.#reportedAt = performance.now();
    const { root, parts, deck } = this;
    const position = this.#now();
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
