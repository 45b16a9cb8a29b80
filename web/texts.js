// The page's words: one file a language, and nothing but texts in it.
const KNOWN = ["en", "de"];
let words = {};

/** The language that was chosen earlier, else the browser's, else English. */
export function preferred() {
  const chosen = localStorage.getItem("language");
  if (KNOWN.includes(chosen)) return chosen;
  return KNOWN.find((each) => navigator.language.toLowerCase().startsWith(each)) ?? "en";
}

/** Loads a language and writes its words into every element that names one. */
export async function speak(language) {
  words = await (await fetch(`texts/${language}.json`)).json();
  localStorage.setItem("language", language);
  document.documentElement.lang = language;
  for (const place of document.querySelectorAll("[data-text]")) place.textContent = say(place.dataset.text);
}

/** Whether there are words of this name. */
export const known = (name) => Object.hasOwn(words, name);

/** The words of a name, with {values} put in. They are text, never markup. */
export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (all, key) => String(values[key] ?? all));
}
