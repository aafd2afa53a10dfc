// A webhook receiver in Node: verifies each POST with the `standardwebhooks` package of npm.
// Usage: node verify.js SECRET. Prints its port; GET / returns the verdicts, PUT / adds a secret to verify with.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const verifiers = [new Webhook(process.argv[2])];
const verdicts = [];

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// What each secret makes of a POST, in the order in which they were added: its body, or why not.
function verify(text, headers) {
  return verifiers.map((verifier) => {
    try {
      return { body: verifier.verify(text, headers) };
    } catch (error) {
      return { reason: String(error) };
    }
  });
}

const server = createServer(async (request, response) => {
  if (request.method === "GET") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(verdicts));
    return;
  }
  if (request.method === "PUT") {
    verifiers.push(new Webhook(await read(request)));
    response.writeHead(204).end();
    return;
  }
  const found = verify(await read(request), request.headers);
  const good = found.find((each) => each.body);
  verdicts.push({
    id: request.headers["webhook-id"],
    verified: good !== undefined,
    by: found.map((each) => each.body !== undefined),
    userId: good?.body.userId,
    reason: good ? undefined : found[0].reason,
  });
  response.writeHead(good ? 204 : 401).end();
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
