// Where the model looked: the answer's map over the image. What did not speak for the count is veiled, what did is outlined, so that
// no colour is needed; a sentence says it, too.
import { say } from "./texts.js";
import { counted } from "./words.js";

const VEIL = 0.7;
const STRONG = 0.5; // of what is between the weakest and the strongest place
const NEARLY = 0.85; // as strong as the strongest part: named with it
const NAMED = 3;
const MOST = 32;
const LONG_SIDE = 800;

const at = (id) => document.getElementById(id);
let looking = false; // whether the map lies over the image

/** Hears the button and the image; `shown()` is the item that is shown. */
export function hearLook(shown) {
  const draw = async () => drawMap(await shown());
  at("look").addEventListener("click", () => {
    looking = !looking;
    void draw();
  });
  at("image").addEventListener("load", () => void draw());
}

/** The map of an item's answer over the image, and in words; a network without a map says so. */
export function drawMap(item) {
  const { answer } = item ?? {};
  const map = shares(answer);
  const none = Boolean(answer?.explanation?.reason);
  const over = Boolean(map && looking && at("image").complete && at("image").naturalWidth);
  at("looked").hidden = !map && !none;
  at("look").hidden = !map;
  at("look").setAttribute("aria-pressed", String(looking));
  at("map").hidden = !over;
  if (over) veil(at("map"), at("image"), map);
  const words = over ? say("looked_at", { count: counted(answer), parts: strongest(map) }) : "";
  at("look-said").textContent = none ? say("look_none") : words;
}

// The map of an answer, its places brought to 0 to 1; null where there is none.
function shares(answer) {
  const rows = answer?.explanation?.map;
  if (!Array.isArray(rows) || !rows.length || rows.length > MOST || !rows.every(Array.isArray)) return null;
  const width = rows[0].length;
  const places = rows.flat();
  if (!width || width > MOST || rows.some((row) => row.length !== width) || !places.every(Number.isFinite)) return null;
  const [low, high] = [Math.min(...places), Math.max(...places)];
  return high > low ? rows.map((row) => row.map((place) => (place - low) / (high - low))) : null;
}

// Draws `map` on `canvas`, which lies over `image`.
function veil(canvas, image, map) {
  const scale = Math.min(1, LONG_SIDE / Math.max(image.naturalWidth, image.naturalHeight));
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(small(map), 0, 0, canvas.width, canvas.height);
  const edge = outline(map, canvas.width / map[0].length, canvas.height / map.length);
  for (const [colour, width] of [["#000000", 5], ["#ffffff", 2]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth: width, lineCap: "round" });
    context.stroke(edge);
  }
}

// The parts of the image that spoke most for the count, in words.
function strongest(map) {
  const parts = Array.from({ length: 9 }, (_, part) => ({ part, share: mean(map, Math.floor(part / 3), part % 3) }));
  parts.sort((one, other) => other.share - one.share);
  const named = parts.slice(0, NAMED).filter(({ share }) => share >= NEARLY * parts[0].share);
  return new Intl.ListFormat(document.documentElement.lang).format(named.map(({ part }) => say(`part_${part}`)));
}

// The mean of a third of the rows and a third of the columns; of a small map the nearest place.
function mean(map, row, column) {
  const part = (length, third) => {
    const from = Math.floor((third * length) / 3);
    return [from, Math.max(from + 1, Math.floor(((third + 1) * length) / 3))];
  };
  const places = map.slice(...part(map.length, row)).flatMap((each) => each.slice(...part(each.length, column)));
  return places.reduce((sum, place) => sum + place, 0) / places.length;
}

function small(map) {
  const canvas = Object.assign(document.createElement("canvas"), { width: map[0].length, height: map.length });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  map.flat().forEach((place, at) => (pixels.data[4 * at + 3] = Math.round(255 * VEIL * (1 - place))));
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// The edges between places that spoke strongly for the count and those that did not.
function outline(map, wide, high) {
  const path = new Path2D();
  const strong = (row, column) => (map[row]?.[column] ?? 0) >= STRONG;
  const line = (x, y, toX, toY) => (path.moveTo(x * wide, y * high), path.lineTo(toX * wide, toY * high));
  for (let row = 0; row <= map.length; row++) {
    for (let column = 0; column <= map[0].length; column++) {
      if (strong(row, column) !== strong(row - 1, column)) line(column, row, column + 1, row);
      if (strong(row, column) !== strong(row, column - 1)) line(column, row, column, row + 1);
    }
  }
  return path;
}
