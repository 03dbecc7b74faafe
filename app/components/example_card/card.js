// A picture with two sounds. Streamlit calls the default export at the first mount and whenever the data change.

const cards = new WeakMap();

class Card {
  #data = null;
  #audio = null;
  #name = ""; // of the sound that #audio holds
  #leaving = new AbortController();

  constructor(root) {
    this.root = root;
    onOthers(this, () => this.#pause(), this.#leaving.signal);
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.buttons = [...root.querySelectorAll("[data-action]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#clicked(button.dataset.action));
  }

  update(data) {
    if (JSON.stringify(data.sounds) !== JSON.stringify(this.#data?.sounds)) this.#stop();
    this.#data = data;
    const { picture, frame, caption, detail } = this.parts;
    picture.src = data.picture;
    picture.alt = `Spectrogram: ${data.caption}`;
    caption.textContent = data.caption;
    detail.textContent = data.detail;
    frame.hidden = !data.frame;
    if (data.frame) {
      const { left, right, bottom, top } = data.frame;
      const percent = (share) => `${100 * share}%`;
      // Placed by its middle, so that a very small one keeps its place when it is drawn larger.
      Object.assign(frame.style, {
        left: percent((left + right) / 2), width: percent(right - left),
        bottom: percent((bottom + top) / 2), height: percent(top - bottom),
      });
    }
    for (const button of this.buttons) button.hidden = !(button.dataset.action in data.sounds);
    this.#show();
  }

  dispose() {
    this.#leaving.abort();
    this.#stop();
  }

  #stop() {
    this.#audio?.pause();
    this.#audio = null;
    this.#name = "";
    this.#show("");
  }

  /** Something else sounds: this one keeps its position, where a click goes on. */
  #pause() {
    this.#audio?.pause();
    this.#show("");
  }

  #clicked(name) {
    if (this.root.dataset.playing === name) return this.#stop();
    if (this.#name !== name) {
      this.#stop();
      const audio = (this.#audio = new Audio(this.#data.sounds[name]));
      this.#name = name;
      audio.addEventListener("ended", () => audio === this.#audio && this.#stop());
    }
    announce(this);
    this.#play(this.#audio);
    this.#show(name);
  }

  #play(audio) {
    const failed = (error) => {
      if (audio !== this.#audio || error.name === "AbortError") return; // it was paused before it began
      this.#stop();
      this.root.dataset.state = "error";
    };
    audio.play().then(() => this.#follow(audio), failed);
  }

  #show(playing = this.root.dataset.playing) {
    this.root.dataset.playing = playing;
    this.root.dataset.state = playing ? "playing" : "ready";
    this.parts.cursor.hidden = !this.#name;
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.action === playing);
  }

  #follow(audio) {
    if (audio !== this.#audio || audio.paused) return;
    const [from, to] = this.#data.walks[this.#name];
    const share = audio.duration ? audio.currentTime / audio.duration : 0;
    this.parts.cursor.style.left = `${100 * (from + share * (to - from))}%`;
    this.root.dataset.position = audio.currentTime.toFixed(2);
    requestAnimationFrame(() => this.#follow(audio));
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".example");
  if (!cards.has(root)) cards.set(root, new Card(root));
  const card = cards.get(root);
  card.update(data);
  // Streamlit cleans up before every update as well; only a card that is gone falls silent.
  return () => setTimeout(() => root.isConnected || (cards.delete(root), card.dispose()));
}
