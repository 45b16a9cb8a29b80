// Evaluates JSONata with the reference implementation, with what Step Functions adds and leaves out:
// docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html#jsonata-functions-provided-by-sfn.
// A line of stdin: [{expression, states, variables}, …]; of stdout: [{value} or {fault}, …] in the same order.
import { createHash, randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import jsonata from "jsonata";

const HASHES = { MD5: "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };

function partition(array, size) {
  const step = Math.floor(size);
  if (step < 1) throw new Error("$partition wants a size of 1 and more");
  return Array.from({ length: Math.ceil(array.length / step) }, (_, n) => array.slice(n * step, (n + 1) * step));
}

function range(first, last, step) {
  const [from, to, by] = [first, last, step].map(Math.floor);
  if (by === 0) throw new Error("$range wants a step other than 0");
  return Array.from({ length: Math.max(0, Math.floor((to - from) / by) + 1) }, (_, n) => from + n * by);
}

function hash(text, algorithm) {
  if (!(algorithm in HASHES)) throw new Error(`$hash knows no ${algorithm}`);
  return createHash(HASHES[algorithm]).update(text, "utf8").digest("hex");
}

function added(expression) {
  expression.registerFunction("partition", partition, "<an:a>");
  expression.registerFunction("range", range, "<nnn:a>");
  expression.registerFunction("hash", hash, "<ss:s>");
  expression.registerFunction("random", () => Math.random(), "<n?:n>");
  expression.registerFunction("uuid", () => randomUUID(), "<:s>");
  expression.registerFunction("parse", (text) => JSON.parse(text), "<s:x>");
  expression.registerFunction("eval", () => {
    throw new Error("Step Functions has no $eval");
  });
  return expression;
}

async function evaluated({ expression, states, variables }) {
  try {
    const value = await added(jsonata(expression)).evaluate(undefined, { ...variables, states });
    return value === undefined ? { fault: "it returned nothing, which fails the execution" } : { value };
  } catch (error) {
    return { fault: `${error.code ?? "error"}: ${error.message}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const results = [];
  for (const asked of JSON.parse(line)) results.push(await evaluated(asked));
  console.log(JSON.stringify(results));
}
