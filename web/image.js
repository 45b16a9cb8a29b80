// A file becomes a JPEG that can be sent: upright, at most 1600 pixels long, without the camera's notes (place, owner).
const LONG_SIDE = 1600;
const QUALITY = 0.92;
const MOST_MEGABYTES = 60;
const DARK = 45; // mean brightness, 0 to 255
const SAMPLE = 32;

/** A file that cannot be read; `text` names the sentence that says so. */
export class Unreadable extends Error {
  constructor(text, values = {}) {
    super(text);
    this.text = text;
    this.values = values;
  }
}

/** The image of a file as `{blob, dark}`. Throws Unreadable. */
export async function prepared(file) {
  if (file.size > MOST_MEGABYTES * 1e6) throw new Unreadable("too_large_file", { megabytes: MOST_MEGABYTES });
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    throw new Unreadable((await isHeic(file)) ? "heic" : "not_an_image");
  }
  try {
    const scale = Math.min(1, LONG_SIDE / Math.max(bitmap.width, bitmap.height));
    const [width, height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * scale)));
    const canvas = drawn(bitmap, width, height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (!blob) throw new Unreadable("not_an_image");
    return { blob, dark: brightness(canvas) < DARK };
  } finally {
    bitmap.close();
  }
}

function drawn(source, width, height) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: width === SAMPLE });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#ffffff"; // behind what is transparent
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0, width, height);
  return canvas;
}

function brightness(canvas) {
  const { data } = drawn(canvas, SAMPLE, SAMPLE).getContext("2d").getImageData(0, 0, SAMPLE, SAMPLE);
  let sum = 0;
  for (let at = 0; at < data.length; at += 4) sum += 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2];
  return sum / (SAMPLE * SAMPLE);
}

// An ISO base media file whose brand is one of HEIF's; names and types of files are not to be trusted.
async function isHeic(file) {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const text = String.fromCharCode(...head.slice(4));
  return /^ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1|avif)/.test(text);
}
