// Streamlit calls the default export at the first mount and whenever the data change.

const ACTS = ["pointerdown", "keydown", "input", "change", "drop", "popstate"];

// From here on, only the first change of the address after something that the user did is a step of the history.
function countSteps() {
  if (window.timbrescopeCountsSteps) return;
  window.timbrescopeCountsSteps = true;
  let acted = false;
  for (const act of ACTS) window.addEventListener(act, () => (acted = true), { capture: true });
  const push = history.pushState;
  history.pushState = function (...entry) {
    const step = acted ? push : history.replaceState;
    acted = false;
    return step.apply(history, entry);
  };
}

// A newer address, which this data knows nothing of, is left alone.
function complete({ given, address }) {
  const parts = new URLSearchParams(location.search);
  const names = Object.keys(address);
  if (names.some((name) => parts.get(name) !== given[name])) return;
  for (const name of names) {
    if (address[name] === null) parts.delete(name);
    else parts.set(name, address[name]);
  }
  const search = `?${parts}`;
  if (search !== location.search) history.replaceState(history.state, "", location.pathname + search + location.hash);
}

// On a phone the menu lies over the page, and Streamlit leaves it there after the choice.
function closeMenu() {
  const left = window.timbrescopePage !== undefined && window.timbrescopePage !== location.pathname;
  window.timbrescopePage = location.pathname;
  if (!left || !matchMedia("(max-width: 768px)").matches) return;
  document
    .querySelector('[data-testid="stSidebar"][data-collapsed="false"] [data-testid="stSidebarCollapseButton"] button')
    ?.click();
}

export default function ({ data }) {
  countSteps();
  complete(data);
  closeMenu();
}
