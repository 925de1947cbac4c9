// The package canonicalize (npm), behind JSON.parse. It is looked for beside this file, or in the folder that is given.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
let canonicalize, version, absent;
try {
  const require = createRequire(resolve(process.argv[2] ?? dirname(fileURLToPath(import.meta.url)), "package.json"));
  const loaded = require("canonicalize");
  canonicalize = loaded.default ?? loaded;
  version = require("canonicalize/package.json").version;
} catch (error) {
  absent = error.message.split("\n")[0];
}

function answer(request) {
  if (request.cmd === "start") return absent ? { error: absent } : { name: "canonicalize (npm)", version, scheme: "jcs" };
  let value;
  try {
    value = JSON.parse(decoder.decode(Buffer.from(request.input, "hex")));
  } catch (error) {
    return { reject: error.message };
  }
  try {
    return { ok: Buffer.from(canonicalize(value), "utf8").toString("hex") };
  } catch (error) {
    return error instanceof RangeError ? { error: error.message } : { reject: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  if (request.cmd === "stop") break;
  process.stdout.write(JSON.stringify(answer(request)) + "\n");
}
process.exit(0);
