// What all pictures of sound have in common: moments in words, notes, and the marks on an axis of time.

const TIME_STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300];
const TIME_TICK_PX = 72; // between two labels of the time axis, at least
const AT_THE_EDGE = 0.03; // share of the width in which a label stands beside its mark rather than below it
const PITCHES = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function clock(seconds, digits) {
  const rounded = +seconds.toFixed(digits); // 59.97 s are 1:00.0, not 0:60.0
  const [minutes, rest] = [Math.floor(rounded / 60), rounded % 60];
  return `${minutes}:${rest.toFixed(digits).padStart(digits ? 3 + digits : 2, "0")}`;
}

/** The nearest note of the tempered scale with A4 at 440 Hz, and its octave. */
function noteName(hz) {
  const pitch = Math.round(69 + 12 * Math.log2(hz / 440));
  return `${PITCHES[((pitch % 12) + 12) % 12]}${Math.floor(pitch / 12) - 1}`;
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Labels of the moments `from` to `to` (seconds) on an axis, as many as `width` (CSS pixels) has room for. */
function drawTimeAxis(axis, from, to, width) {
  const room = Math.max(width / TIME_TICK_PX, 1);
  const step = TIME_STEPS_S.find((seconds) => (to - from) / seconds <= room) ?? TIME_STEPS_S.at(-1);
  const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  const label = (seconds) => (to < 60 ? `${+seconds.toFixed(2)} s` : clock(seconds, digits));
  const first = Math.ceil(from / step - 1e-6);
  const count = Math.floor(to / step + 1e-6) - first + 1;
  axis.replaceChildren(
    ...Array.from({ length: count }, (_, i) => (first + i) * step).map((seconds) => {
      const share = (seconds - from) / (to - from);
      const side = share < AT_THE_EDGE ? "first" : share > 1 - AT_THE_EDGE ? "last" : "";
      return element("span", { class: side, style: `left: ${100 * share}%` }, label(seconds));
    }),
  );
}
