const SHOWN_MS = 2000; // how long it says what happened

// Only pages that came over a safe connection may write to the clipboard; elsewhere the old way still works.
async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("the browser does not allow it");
}

export default function ({ parentElement, data }) {
  const button = parentElement.querySelector(".copy-link");
  button.title = data.hint;
  let timer;
  button.onclick = async () => {
    clearTimeout(timer);
    try {
      await copy(location.href);
      button.dataset.state = "copied";
    } catch {
      button.dataset.state = "failed";
    }
    timer = setTimeout(() => (button.dataset.state = "ready"), SHOWN_MS);
  };
  return () => clearTimeout(timer);
}
