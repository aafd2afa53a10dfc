// `node parse_asyncapi.js FILE`: print what AsyncAPI's own parser finds wrong, and the names of the messages.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf8"));
const wrong = diagnostics.map(({ code, message, path }) => ({ code, message, path: path.join(".") }));
const messages = document ? document.messages().all().map((message) => message.name()) : [];
console.log(JSON.stringify({ wrong, messages }));
