// Streamlit calls the default export at the first mount and whenever the data change. Tiles are changed in place, so
// that a picture that stays the same does not flicker.

function draw(tile, shown, large, tell) {
  const part = (name) => tile.querySelector(`[data-part="${name}"]`);
  const [open, atlas] = tile.querySelectorAll("button");
  const image = tile.querySelector("img");
  tile.dataset.channel = shown.channel;
  tile.dataset.opened = shown.opened;
  if (image.src !== shown.picture) image.src = shown.picture;
  const number = large ? `Concept ${shown.channel}` : shown.channel;
  part("name").textContent = shown.name || `Concept ${shown.channel}`;
  part("share").textContent = shown.name ? `${number} · ${shown.share}` : shown.share;
  part("share").classList.toggle("against", shown.share.startsWith("−"));
  open.setAttribute("aria-pressed", shown.opened);
  open.title = shown.opened ? "Close: show the whole evidence again" : "See and hear where this concept worked";
  open.onclick = () => tell("open", shown.channel);
  atlas.hidden = !shown.in_atlas;
  atlas.setAttribute("aria-label", `Concept ${shown.channel} in the atlas`);
  atlas.onclick = () => tell("atlas", shown.channel);
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".tiles");
  const blank = parentElement.querySelector("template").content.firstElementChild;
  root.classList.toggle("large", data.large);
  while (root.children.length > data.tiles.length) root.lastElementChild.remove();
  while (root.children.length < data.tiles.length) root.append(blank.cloneNode(true));
  data.tiles.forEach((shown, index) => draw(root.children[index], shown, data.large, setTriggerValue));
}
