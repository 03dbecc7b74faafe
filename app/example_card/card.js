// A picture with two sounds. Streamlit calls the default export at the first mount and whenever the data change.

let sounding = null; // of all cards on the page, the one that plays
const cards = new WeakMap();

class Card {
  #data = null;
  #audio = null;

  constructor(root) {
    this.root = root;
    this.parts = Object.fromEntries([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.buttons = [...root.querySelectorAll("[data-action]")];
    for (const button of this.buttons) button.addEventListener("click", () => this.#clicked(button.dataset.action));
  }

  update(data) {
    if (JSON.stringify(data.sounds) !== JSON.stringify(this.#data?.sounds)) this.stop();
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

  stop() {
    this.#audio?.pause();
    this.#audio = null;
    if (sounding === this) sounding = null;
    this.#show("");
  }

  #clicked(name) {
    const again = this.root.dataset.playing === name;
    sounding?.stop();
    if (again) return;
    sounding = this;
    const audio = (this.#audio = new Audio(this.#data.sounds[name]));
    audio.addEventListener("ended", () => audio === this.#audio && this.stop());
    audio.play().then(() => this.#follow(audio), () => audio === this.#audio && this.#fail());
    this.#show(name);
  }

  #fail() {
    this.stop();
    this.root.dataset.state = "error";
  }

  #show(playing = this.root.dataset.playing) {
    this.root.dataset.playing = playing;
    this.root.dataset.state = playing ? "playing" : "ready";
    this.parts.cursor.hidden = !playing;
    for (const button of this.buttons) button.setAttribute("aria-pressed", button.dataset.action === playing);
  }

  #follow(audio) {
    if (audio !== this.#audio) return;
    const [from, to] = this.#data.walks[this.root.dataset.playing];
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
  return () => setTimeout(() => root.isConnected || card.stop());
}
