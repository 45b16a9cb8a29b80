// Runs inside the page: what a person would complain of, in figures.
export function measure() {
  const channels = (colour) => {
    const [red, green, blue, alpha = 1] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [red, green, blue], alpha };
  };
  // WCAG 2.2, "relative luminance" and "contrast ratio".
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = (element) => {
    for (let place = element; place; place = place.parentElement) {
      const { rgb, alpha } = channels(getComputedStyle(place).backgroundColor);
      if (alpha > 0.99) return rgb;
    }
    return [255, 255, 255];
  };
  const scrolls = (element) => {
    for (let place = element; place && place !== document.body; place = place.parentElement) {
      if (["auto", "scroll", "hidden"].includes(getComputedStyle(place).overflowX)) return true;
    }
    return false;
  };

  const width = document.documentElement.clientWidth;
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const shown = element.getClientRects().length > 0 && walker.currentNode.data.trim();
    if (!shown || element.closest("style, script")) continue;
    const style = getComputedStyle(element);
    texts.push({
      text: walker.currentNode.data.trim().slice(0, 60),
      pixels: parseFloat(style.fontSize),
      contrast: contrast(channels(style.color).rgb, ground(element)),
    });
  }
  // A word that goes over two lines without a hyphen; ids and addresses may break anywhere (class id).
  const cut = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const node = words.currentNode;
    if (node.parentElement.closest("style, script, .id") || !node.parentElement.getClientRects().length) continue;
    for (const { 0: word, index } of node.data.matchAll(/(?<!\p{L})\p{L}{2,24}(?!\p{L})/gu)) {
      const range = document.createRange();
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) cut.push(word);
    }
  }
  const outside = [...document.body.querySelectorAll("*")]
    .filter((element) => element.getBoundingClientRect().right > width + 1 && !scrolls(element))
    .map((element) => `${element.tagName.toLowerCase()}: ${element.textContent.trim().slice(0, 60)}`);
  return {
    title: document.title,
    text: document.body.innerText,
    width,
    overflow: document.documentElement.scrollWidth - width,
    outside,
    faint: texts.filter((text) => text.contrast < 4.5),
    cut,
    small: texts.filter((text) => text.pixels < 11),
    broken: [...document.images].filter((image) => image.getAttribute("src") && !image.naturalWidth).map((image) => image.alt),
  };
}
