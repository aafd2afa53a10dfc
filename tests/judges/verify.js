// A webhook receiver in Node: verifies each POST with the `standardwebhooks` package of npm.
// Usage: node verify.js SECRET. Prints its port; GET / returns the verdicts.
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const verifier = new Webhook(process.argv[2]);
const verdicts = [];

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const server = createServer(async (request, response) => {
  if (request.method === "GET") {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(verdicts));
    return;
  }
  try {
    const body = verifier.verify(await read(request), request.headers);
    verdicts.push({ id: request.headers["webhook-id"], verified: true, userId: body.userId });
    response.writeHead(204).end();
  } catch (error) {
    verdicts.push({ id: request.headers["webhook-id"], verified: false, reason: String(error) });
    response.writeHead(401).end();
  }
});

server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => process.exit(0));
