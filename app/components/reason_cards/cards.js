// Streamlit calls the default export at the first mount and whenever the data change. Cards are changed in place, so
// that a picture that stays the same does not flicker and the focus stays where it is.

function draw(card, shown, tell) {
  const part = (name) => card.querySelector(`[data-part="${name}"]`);
  const button = (action) => card.querySelector(`[data-action="${action}"]`);
  const image = card.querySelector("img");
  card.dataset.id = shown.id;
  card.dataset.opened = shown.opened;
  card.dataset.silent = shown.silent;
  card.classList.toggle("against", shown.share < 0);
  if (image.src !== shown.picture) image.src = shown.picture;
  part("name").textContent = shown.name;
  part("name").title = shown.hint;
  card.style.setProperty("--color", shown.color);
  part("bar").style.width = `${100 * Math.abs(shown.share)}%`;
  part("percent").textContent = shown.percent;
  part("without").textContent = shown.without;
  const [open, silence, atlas] = ["open", "silence", "atlas"].map(button);
  open.setAttribute("aria-pressed", shown.opened);
  open.setAttribute("aria-label", `${shown.name}, ${shown.percent}`);
  open.title = shown.opened ? "Close: show all of the evidence again" : shown.hint;
  open.onclick = () => tell("open", shown.id);
  silence.setAttribute("role", "switch");
  silence.setAttribute("aria-checked", !shown.silent);
  silence.setAttribute("aria-label", `${shown.name} works in the network`);
  silence.title = shown.silent ? "Let the network notice it again" : "Silence it in the network: what would it say?";
  silence.onclick = () => tell("silence", shown.id);
  atlas.hidden = !shown.in_atlas;
  atlas.setAttribute("aria-label", `${shown.name} in the atlas`);
  atlas.onclick = () => tell("atlas", shown.id);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".reasons");
  const blank = parentElement.querySelector("template").content.firstElementChild;
  while (root.children.length > data.cards.length) root.lastElementChild.remove();
  while (root.children.length < data.cards.length) root.append(blank.cloneNode(true));
  data.cards.forEach((shown, index) => draw(root.children[index], shown, setTriggerValue));
}
