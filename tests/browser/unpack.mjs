// Unpacks the browser of node_modules/@sparticuz/chromium into the current folder: the program, the libraries that
// a bare Linux does not have, fonts. `make browser` calls it in build/browser; the package's own unpacking writes to /tmp.
import { createReadStream, createWriteStream, rmSync, writeFileSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { createRequire } from "node:module";

const require = createRequire(`${process.cwd()}/`);
const tar = require("tar-fs");
const packed = (name) => createReadStream(`node_modules/@sparticuz/chromium/bin/${name}.br`);

// The package's own names folders of AWS Lambda. One font for all families: the same lines break everywhere.
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir prefix="relative">fonts</dir><cachedir prefix="relative">cache</cachedir></fontconfig>
`;

for (const name of ["al2023", "fonts"]) {
  rmSync(name, { recursive: true, force: true });
  await pipeline(packed(`${name}.tar`), createBrotliDecompress(), tar.extract(name));
}
await pipeline(packed("chromium"), createBrotliDecompress(), createWriteStream("chromium", { mode: 0o755 }));
writeFileSync("fonts/fonts.conf", FONTS);
rmSync("node_modules/@sparticuz", { recursive: true });
