"use strict";
/* What the scripts of all pages share. */
const at = id => document.getElementById(id);
const told = id => JSON.parse(at(id).textContent);

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const capital = words => words[0].toUpperCase() + words.slice(1);
const many = (n, one, more) => `${n} ${n === 1 ? one : more || one + "s"}`;

/* The button that changes between the reader's setting, light and dark. */
function themes(button) {
  const names = ["auto", "light", "dark"], signs = ["◐", "☀", "☾"], root = document.documentElement;
  let now = 0;
  const show = () => {
    if (now) root.dataset.theme = names[now];
    else delete root.dataset.theme;
    button.textContent = signs[now];
    button.title = `Colours: ${["as the system has them", "light", "dark"][now]}`;
    button.setAttribute("aria-label", button.title);
  };
  button.addEventListener("click", () => { now = (now + 1) % names.length; show(); });
  show();
}
