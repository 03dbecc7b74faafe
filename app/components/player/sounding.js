// What the components of a page tell each other: that one of them starts to sound, where in the song it is, and where
// in the song the user wants to be.

const SOUNDING = "timbrescope-sounding";
const POSITION = "timbrescope-position";
const SEEK = "timbrescope-seek";

/** Says that `source` starts to sound: only one thing sounds at a time, so whoever starts pauses all others. */
function announce(source) {
  document.dispatchEvent(new CustomEvent(SOUNDING, { detail: source }));
}

/** Calls `pause` whenever something else than `source` starts to sound, until `signal` is aborted. */
function onOthers(source, pause, signal) {
  document.addEventListener(SOUNDING, ({ detail }) => detail !== source && pause(), { signal });
}

/** Says at which second of the song a player is. */
function tellPosition(seconds) {
  document.dispatchEvent(new CustomEvent(POSITION, { detail: seconds }));
}

function onPosition(follow, signal) {
  document.addEventListener(POSITION, ({ detail }) => follow(detail), { signal });
}

/** Asks the players whose sound holds this second of the song to go there. */
function askToSeek(seconds) {
  document.dispatchEvent(new CustomEvent(SEEK, { detail: seconds }));
}

function onSeek(seek, signal) {
  document.addEventListener(SEEK, ({ detail }) => seek(detail), { signal });
}
