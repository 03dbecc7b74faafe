// Only one thing sounds on a page, whichever component it belongs to: whoever starts pauses all others.

const SOUNDING = "timbrescope-sounding";

/** Says that `source` starts to sound. */
function announce(source) {
  document.dispatchEvent(new CustomEvent(SOUNDING, { detail: source }));
}

/** Calls `pause` whenever something else than `source` starts to sound, until `signal` is aborted. */
function onOthers(source, pause, signal) {
  document.addEventListener(SOUNDING, ({ detail }) => detail !== source && pause(), { signal });
}
