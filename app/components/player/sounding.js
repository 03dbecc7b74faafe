// What the components of a page tell each other: that one of them starts to sound, where in the song it is, where in the
// song the user wants to be, and how linked players stand.

const SOUNDING = "timbrescope-sounding";
const POSITION = "timbrescope-position";
const SEEK = "timbrescope-seek";
const LINKED = "timbrescope-linked";

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

/** Tells the others of a player's group what changed in how it stands; without `changes`, asks them how they stand. */
function tellGroup(source, group, changes) {
  if (group) document.dispatchEvent(new CustomEvent(LINKED, { detail: { source, group, changes } }));
}

/** Calls `follow` with whatever a player tells its group, until `signal` is aborted. */
function onGroup(follow, signal) {
  document.addEventListener(LINKED, ({ detail }) => follow(detail), { signal });
}
