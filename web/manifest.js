// A manifest: a CSV with the columns `id` and `expected`, as any spreadsheet saves it. The rules are those of `bincount site`.
const SEPARATORS = [",", ";", "\t", "|"];
const IMAGE = /\.(jpe?g|png|webp)$/i;
const OTHER = /\.(hei[cf]|avif|tiff?|bmp|gif|dng|jxl|jfif|jpe)$/i;
const SYSTEM = /(^|.*\/)(\._[^/]*|__MACOSX\/.*|\.DS_Store|Thumbs\.db|desktop\.ini)$/i;
const MOST = 999999;

/** A table that cannot be used; `text` names the sentence, `values` what is put in. */
export class BadTable extends Error {
  constructor(text, values = {}) {
    super(text);
    Object.assign(this, { text, values });
  }
}

/** The id of a file or of a manifest's entry: its path without the suffix of an image. */
export function imageId(name) {
  const path = name.normalize("NFC").replaceAll("\\", "/").replace(/^\.\//, "");
  return path.replace(IMAGE, "").replace(OTHER, "");
}

/** Whether a file is counted, by its name. */
export const isImage = (name) => IMAGE.test(name) && !SYSTEM.test(name);

/** The rows of a manifest, `{id, expected}`, in its order. Throws BadTable. */
export async function readManifest(file) {
  const [header, ...rows] = table(decoded(new Uint8Array(await file.arrayBuffer())));
  const names = (header?.cells ?? []).map((cell) => cell.trim().toLowerCase());
  const [atId, atExpected] = [names.indexOf("id"), names.indexOf("expected")];
  if (atId < 0 || atExpected < 0) throw new BadTable("table_columns");
  const found = new Map();
  for (const { line, cells } of rows) {
    const id = imageId((cells[atId] ?? "").trim());
    const number = /^([0-9]{1,6})(?:[.,]0{1,2})?$/.exec((cells[atExpected] ?? "").trim())?.[1];
    if (!id) throw new BadTable("table_no_id", { line });
    if (number === undefined || Number(number) > MOST) throw new BadTable("table_number", { line });
    if (found.has(id)) throw new BadTable("table_twice", { line, id });
    found.set(id, { id, expected: Number(number) });
  }
  return [...found.values()];
}

function decoded(bytes) {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) throw new BadTable("table_workbook");
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes); // what Excel on Windows calls CSV
  }
}

// Rows that are not blank, with the line each begins on; the separator is the one that gives both columns.
function table(text) {
  const named = /^"?sep=(.)"?\r?\n/i.exec(text);
  const body = named ? text.slice(named[0].length) : text;
  for (const separator of named ? [named[1]] : SEPARATORS) {
    const rows = parsed(body, separator, named ? 2 : 1);
    const names = (rows[0]?.cells ?? []).map((cell) => cell.trim().toLowerCase());
    if (names.includes("id") && names.includes("expected")) return rows;
  }
  throw new BadTable("table_columns");
}

// RFC 4180, with any line end.
function parsed(text, separator, first) {
  const rows = [];
  let [cells, cell, quoted, line, begun] = [[], "", false, first, first];
  const close = () => {
    cells.push(cell);
    if (cells.some((each) => each.trim())) rows.push({ line: begun, cells });
    [cells, cell] = [[], ""];
  };
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    const ends = sign === "\n" || (sign === "\r" && text[at + 1] !== "\n");
    if (ends) line += 1;
    if (quoted && sign === '"' && text[at + 1] === '"') cell += text[at++];
    else if (sign === '"' && (quoted || cell === "")) quoted = !quoted;
    else if (quoted) cell += sign;
    else if (sign === separator) cells.push(cell), (cell = "");
    else if (ends) close(), (begun = line);
    else if (sign !== "\r") cell += sign;
  }
  close();
  return rows;
}
